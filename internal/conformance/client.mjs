// Runs cases of the suite against one base URL and sends the raw results to the parent: node client.mjs SUITE BASE [ID ...]
//
// The suite's client keeps its results in module state, so every run is a process of its own.
import { pathToFileURL } from 'node:url'
import { load, locate } from './suite.mjs'

// The npm state of the client waits for ever; the current one gives up after ten seconds, and so do both here.
const requestTimeout = 10_000

const [dir, base, ...ids] = process.argv.slice(2)
process.on('disconnect', () => process.exit(1)) // nobody waits for the results any more

const suite = locate(dir)
const sections = select(await load(suite), ids)
const { runTests, getResults } = await import(pathToFileURL(suite.runner))
if (suite.state === 'npm') {
  const { default: fetch } = await import(pathToFileURL(suite.fetch))
  await runTests(sections, (url, init) => fetch(url, { timeout: requestTimeout, ...init }), false, base)
} else {
  await runTests(sections, false, base)
}
process.send(getResults(), () => process.exit(0))

function select (sections, ids) {
  if (ids.length === 0) return sections
  const wanted = new Set(ids)
  const dump = process.env.CONFORMANCE_DUMP === '1'
  return sections.map(section => ({
    ...section,
    tests: section.tests.filter(test => wanted.has(test.id)).map(test => (dump ? { ...test, dump } : test))
  }))
}
