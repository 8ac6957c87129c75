// Where things are in a copy of http-cache-tests, and which of its cases apply to a reverse proxy.
//
// Two states of the suite are around under one version number: the npm package (RFC 7234 era, client/ and server/
// at the top) and the git repository (RFC 9111 era, both below test-engine/).
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))

export const installedSuite = path.join(here, 'node_modules', 'http-cache-tests')

// Surrogate-Control is a W3C note of 2001, not HTTP caching.
const leftOut = new Set(['surrogate-control'])

// locate says which state of the suite dir holds and where its parts are; it throws when dir holds neither,
// or when the modules that the suite's client needs are not installed.
export function locate (dir) {
  const root = path.resolve(dir)
  const has = name => fs.existsSync(path.join(root, name))
  const at = name => path.join(root, name)
  if (has('test-engine/client/runner.mjs') && has('tests/index.mjs')) {
    const suite = { state: 'current', root, runner: at('test-engine/client/runner.mjs'), server: at('test-engine/server/server.mjs') }
    resolveFrom(suite, 'undici')
    return suite
  }
  if (has('client/runner.mjs') && has('tests/index.mjs')) {
    const suite = { state: 'npm', root, runner: at('client/runner.mjs'), server: at('server/server.mjs') }
    suite.fetch = resolveFrom(suite, 'node-fetch')
    return suite
  }
  throw new Error(`${root} holds no http-cache-tests: expected tests/index.mjs and client/ or test-engine/ in it; ` +
    'run "npm ci" in internal/conformance, or point --suite at a checkout')
}

function resolveFrom (suite, name) {
  try {
    return createRequire(suite.runner).resolve(name)
  } catch {
    throw new Error(`module ${name} is not installed for the suite in ${suite.root}: run "npm install" there`)
  }
}

// load reads the suite's sections and keeps the cases that apply: not the ones for browsers, not Surrogate-Control.
export async function load (suite) {
  const { default: sections } = await import(pathToFileURL(path.join(suite.root, 'tests', 'index.mjs')))
  return sections
    .filter(section => !leftOut.has(section.id))
    .map(section => ({ ...section, tests: section.tests.filter(test => test.browser_only !== true) }))
    .filter(section => section.tests.length > 0)
}

// cases flattens sections into one list, each case with the section it is from.
export function cases (sections) {
  return sections.flatMap(section => section.tests.map(test => ({ ...test, section: section.id })))
}
