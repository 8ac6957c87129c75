// Runs the public HTTP cache tests against the proxy and compares every outcome with the committed expectation.
import path from 'node:path'
import { devNull } from 'node:os'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as docs from './docs.mjs'
import * as expect from './expect.mjs'
import { died, freePorts, listening, printed, start, stopAll } from './processes.mjs'
import { kindOf, message, outcomes, summary } from './score.mjs'
import { cases, installedSuite, load, locate } from './suite.mjs'

const usage = `usage: node run.mjs --binary PATH [--profile NAME ...] [--suite DIR] [--no-lane] [--update]
       node run.mjs --binary PATH --id CASE --profile NAME [--suite DIR]   one case, with what was sent and received
       node run.mjs --check-docs [--suite DIR]                             only compare docs/conformance.md

Exit status: 0 all as expected, 1 something differs, 2 could not run.`

const allProfiles = ['rfc9111', 'default']
const limit = 5 * 60_000 // ms for everything
const retryAtMost = 10 // differing cases; more than that is no accident of timing
const here = path.dirname(fileURLToPath(import.meta.url))

class UsageError extends Error {}

function options () {
  let values
  try {
    ({ values } = parseArgs({
      options: {
        binary: { type: 'string' },
        suite: { type: 'string' },
        profile: { type: 'string', multiple: true },
        id: { type: 'string' },
        'no-lane': { type: 'boolean', default: false },
        update: { type: 'boolean', default: false },
        'check-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    }))
  } catch (err) {
    throw new UsageError(err.message)
  }
  const opts = { ...values, suite: values.suite ?? installedSuite, profiles: values.profile ?? allProfiles }
  if (opts.help || opts['check-docs']) return opts
  if (!opts.binary) throw new UsageError('--binary is missing: give the path of the built proxy')
  if (!fs.existsSync(opts.binary)) throw new UsageError(`--binary ${opts.binary} does not exist: build the proxy first`)
  if (opts.id !== undefined && opts.profiles.length !== 1) throw new UsageError('--id runs in one profile: name it with --profile')
  if (opts.id !== undefined && opts.update) throw new UsageError('--update needs a whole run: leave out --id')
  return opts
}

async function startOrigin (suite, show) {
  const env = { ...process.env, npm_config_protocol: 'http', npm_config_port: '0', npm_config_pidfile: devNull }
  const preload = path.join(here, 'loopback.mjs')
  const server = start('the suite\'s server', process.execPath, ['--import', preload, suite.server], { cwd: suite.root, env, show })
  return printed(server, /Listening on (http:\/\/127\.0\.0\.1:\d+)\//)
}

async function startProxies ({ binary, profiles, 'no-lane': noLane }, origin) {
  // settings of whoever runs this must not leak into what is measured
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CACHEPROXY_')))
  const ports = await freePorts(profiles.length)
  return Promise.all(profiles.map(async (profile, i) => {
    const args = ['--listen', `127.0.0.1:${ports[i]}`, '--origin', origin, '--admin', 'off', '--access-log', 'off', '--profile', profile, '--fast-lane', String(!noLane)]
    if (profile === 'default') args.push('--config', path.join(here, 'no-retries.yaml')) // rfc9111 retries no status
    const child = start(`the proxy with profile ${profile}`, path.resolve(binary), args, { env })
    await listening(child, ports[i])
    return { profile, child, base: `http://127.0.0.1:${ports[i]}` }
  }))
}

async function runClient (suite, proxy, ids, show = false) {
  const env = { ...process.env, CONFORMANCE_DUMP: show ? '1' : '' }
  const args = ['--no-warnings', path.join(here, 'client.mjs'), suite.root, proxy.base, ...ids]
  const client = start(`the suite's client for profile ${proxy.profile}`, process.execPath, args, { env, show, ipc: true })
  let results
  client.once('message', got => { results = got })
  await client.ended
  if (proxy.child.how !== undefined) throw new Error(`in the middle of the run, ${died(proxy.child)}`)
  if (results === undefined) throw new Error(died(client))
  return results
}

// runProfile runs every case, and those that differ a second time: a case that waits for three seconds beside a hundred
// others can miss its moment on a busy machine.
async function runProfile (suite, tests, proxy) {
  const results = await runClient(suite, proxy, [])
  const recorded = expect.read(suite.state, proxy.profile)
  const expected = recorded ?? {}
  const compare = () => expect.differences(tests, expected, outcomes(tests, results), results)
  const retry = compare().filter(diff => diff.id in results && diff.got !== 'dependency_fail').map(diff => diff.id)
  const retried = retry.length > 0 && retry.length <= retryAtMost ? retry : []
  if (retried.length > 0) Object.assign(results, await runClient(suite, proxy, retried))
  const got = outcomes(tests, results)
  const same = Object.keys(got).filter(id => got[id] === expected[id]).length
  return { profile: proxy.profile, recorded: recorded !== undefined, got, retried, same, differ: compare() }
}

// runTwice is what --update does: an outcome that does not hold over two runs must not go on record unseen.
async function runTwice (suite, tests, proxy) {
  const got = outcomes(tests, await runClient(suite, proxy, []))
  const again = outcomes(tests, await runClient(suite, proxy, []))
  const unstable = Object.keys(got).filter(id => got[id] !== again[id])
    .map(id => `${proxy.profile}: ${id} was ${got[id]} and then ${again[id]}: record it again when the cause is gone`)
  return { profile: proxy.profile, got, unstable }
}

async function runOne (opts, suite, tests) {
  const test = tests.find(test => test.id === opts.id)
  if (!test) throw new UsageError(`--id ${opts.id}: the ${suite.state} state of the suite has no such case that applies to a proxy`)
  const origin = await startOrigin(suite, true)
  const [proxy] = await startProxies(opts, origin)
  const results = await runClient(suite, proxy, [test.id], true)
  // what it depends on was not run: judge the case by itself
  const got = outcomes([{ ...test, depends_on: undefined }], results)[test.id]
  const expected = expect.read(suite.state, proxy.profile)?.[test.id] ?? expect.none
  console.log(`${test.id} (${kindOf(test)}, ${proxy.profile}): ${got}, expected ${expected} ${message(results[test.id])}`)
  return got === expected ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function expectations (state) {
  return Object.fromEntries(allProfiles.map(profile => [profile, expect.read(state, profile)]).filter(([, known]) => known))
}

function report (tests, run) {
  console.log(summary(run.profile, tests, run.got))
  if (run.retried.length > 0) console.log(`${run.profile}: run a second time: ${run.retried.join(' ')}`)
  if (!run.recorded) console.log(`${run.profile}: no expectation is recorded for this state of the suite: --update records one`)
  else if (run.differ.length > 0) console.log(`\n${run.profile}: not as expected:\n${expect.table(run.differ)}\n`)
}

async function record (suite, tests, proxies) {
  const runs = await Promise.all(proxies.map(proxy => runTwice(suite, tests, proxy)))
  for (const run of runs) {
    console.log(summary(run.profile, tests, run.got))
    expect.write(suite.state, run.profile, run.got)
  }
  const problems = docs.update(suite.state, tests, expectations(suite.state))
  return count(runs.map(run => Object.keys(run.got).length - run.unstable.length), runs.flatMap(run => run.unstable), problems)
}

async function runAll (opts, suite, tests) {
  const origin = await startOrigin(suite, false)
  const proxies = await startProxies(opts, origin)
  console.log(`${tests.length} cases of the ${suite.state} state of the suite, profiles ${opts.profiles.join(' and ')}`)
  if (opts.update) return record(suite, tests, proxies)
  const runs = await Promise.all(proxies.map(proxy => runProfile(suite, tests, proxy)))
  for (const run of runs) report(tests, run)
  const { passed, failed } = count(runs.map(run => run.same), docs.check(suite.state, tests, expectations(suite.state)))
  return { passed, failed: runs.reduce((sum, run) => sum + run.differ.length, failed) }
}

// count prints problems, each of which counts as a failure.
function count (passed, ...problems) {
  for (const problem of problems.flat()) console.log(problem)
  return { passed: passed.reduce((sum, n) => sum + n, 0), failed: problems.flat().length }
}

async function run () {
  const opts = options()
  if (opts.help) {
    console.log(usage)
    return undefined
  }
  const suite = locate(opts.suite)
  const tests = cases(await load(suite))
  if (opts['check-docs']) return count([1], docs.check(suite.state, tests, expectations(suite.state)))
  return opts.id === undefined ? runAll(opts, suite, tests) : runOne(opts, suite, tests)
}

async function main () {
  const stopped = new Promise((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => reject(new Error(`stopped by ${signal}`)))
    setTimeout(() => reject(new Error(`not done within ${limit / 60_000} minutes`)), limit).unref()
  })
  try {
    const sums = await Promise.race([run(), stopped])
    await stopAll()
    if (sums) console.log(`${sums.passed} passed, ${sums.failed} failed`)
    return sums === undefined || sums.failed === 0 ? 0 : 1
  } catch (err) {
    await stopAll()
    console.error(err instanceof UsageError ? `${err.message}\n\n${usage}` : `conformance: ${err.message}`)
    console.log('0 passed, 1 failed')
    return 2
  }
}

process.exit(await main())
