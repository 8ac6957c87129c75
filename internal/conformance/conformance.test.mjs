// Tests of the runner itself, without a proxy: node --test conformance.test.mjs
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { readNotes, render } from './docs.mjs'
import { differences, none, table } from './expect.mjs'
import { freePorts, listening, printed, start, stopAll } from './processes.mjs'
import { outcomes, summary, totals } from './score.mjs'
import { locate } from './suite.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))

test('an outcome follows from kind and raw result', () => {
  const rows = [
    // kind, raw result, outcome
    [undefined, true, 'pass'],
    ['required', ['Assertion', 'x'], 'fail'],
    ['optimal', true, 'pass'],
    ['optimal', ['Assertion', 'x'], 'optional_fail'],
    ['check', true, 'yes'],
    ['check', ['TypeError', 'x'], 'no'],
    ['required', ['Setup', 'x'], 'setup_fail'],
    ['check', ['Setup', 'retry'], 'retry'],
    ['required', ['AbortError', 'x'], 'harness_fail'],
    ['required', false, 'harness_fail'],
    ['required', undefined, 'untested']
  ]
  for (const [kind, raw, want] of rows) {
    const got = outcomes([{ id: 'a', kind }], raw === undefined ? {} : { a: raw })
    assert.deepEqual(got, { a: want }, `${kind} ${JSON.stringify(raw)}`)
  }
})

test('a case whose dependency does not pass is not judged, through any number of steps', () => {
  const tests = [{ id: 'c', depends_on: ['b'] }, { id: 'b', depends_on: ['a'] }, { id: 'a', kind: 'check' }, { id: 'd', depends_on: ['gone'] }]
  const raw = { a: ['Assertion', 'x'], b: true, c: true, d: true }
  assert.deepEqual(outcomes(tests, raw), { a: 'no', b: 'dependency_fail', c: 'dependency_fail', d: 'dependency_fail' })
  assert.deepEqual(outcomes(tests, { ...raw, a: true }), { a: 'yes', b: 'pass', c: 'pass', d: 'dependency_fail' })
})

test('totals and summary count by kind, and the cases for CDN-Cache-Control by themselves', () => {
  const tests = [{ id: 'r1' }, { id: 'r2' }, { id: 'o', kind: 'optimal' }, { id: 'y', kind: 'check' }, { id: 'n', kind: 'check' }, { id: 's', kind: 'check' }]
  const got = { r1: 'pass', r2: 'dependency_fail', o: 'optional_fail', y: 'yes', n: 'no', s: 'setup_fail', cdn: 'pass' }
  assert.deepEqual(totals(tests, got).required, { n: 2, good: 1, bad: 0, other: 1 })
  assert.equal(summary('p', tests, got), 'p: required 1/2, optimal 0/1, check 1 yes 1 no 1 undecided')
  assert.equal(summary('p', [...tests, { id: 'cdn', cdn_only: true }], got),
    'p: required 1/2, optimal 0/1, check 1 yes 1 no 1 undecided; CDN-Cache-Control: required 1/1, optimal 0/0, check 0 yes 0 no')
})

test('better, worse, new and vanished cases all differ', () => {
  const tests = [{ id: 'better' }, { id: 'worse' }, { id: 'new', kind: 'check' }, { id: 'same' }]
  const expected = { better: 'fail', worse: 'pass', gone: 'pass', same: 'pass' }
  const raw = { better: true, worse: ['Assertion', 'not fresh'], new: true, same: true }
  const got = differences(tests, expected, outcomes(tests, raw), raw)
  assert.deepEqual(got, [
    { id: 'better', kind: 'required', expected: 'fail', got: 'pass', message: '' },
    { id: 'gone', kind: '-', expected: 'pass', got: none, message: 'no such case in this suite' },
    { id: 'new', kind: 'check', expected: none, got: 'yes', message: '' },
    { id: 'worse', kind: 'required', expected: 'pass', got: 'fail', message: 'Assertion: not fresh' }
  ])
  assert.match(table(got), /^id +kind +expected +got +message\n/)
  assert.match(table(got), /^worse +required +pass +fail +Assertion: not fresh$/m)
})

test('the page needs a reason for every required and optimal case that does not pass', () => {
  const tests = [{ id: 'a' }, { id: 'b', depends_on: ['a'] }, { id: 'c', kind: 'check', name: 'Does it | or not?' }]
  const expected = { one: { a: 'fail', b: 'dependency_fail', c: 'yes' }, two: { a: 'pass', b: 'pass', c: 'no' } }
  const without = render('npm', tests, expected, [])
  assert.deepEqual(without.problems, ['required case a is fail in profile one: write why into notes.json'])

  const note = { ids: ['a'], suite: 'npm', profile: 'one', why: 'the suite is wrong', clause: 'RFC 9111, 5.1' }
  const { text, problems } = render('npm', tests, expected, [note, { ids: ['c'], outcome: 'no', why: 'it is optional', clause: 'RFC 9111, 3' }])
  assert.deepEqual(problems, [])
  assert.match(text, /^\| `a` \| required \| one \| fail \| the suite is wrong \(RFC 9111, 5\.1\) \|$/m)
  assert.match(text, /^\| `b` \| required \| one \| dependency_fail \| not judged: depends on `a` \|$/m)
  assert.match(text, /^\| `c` \| Does it \\\| or not\? \| yes \| no \| it is optional \(RFC 9111, 3\) \|$/m)

  const twice = { one: { ...expected.one, c: 'no' }, two: { ...expected.one, c: 'no' } }
  const both = render('npm', tests, twice, [{ ...note, profile: undefined }]).text
  assert.match(both, /^\| `a` \| required \| one, two \| fail \| the suite is wrong/m, 'what is the same in both profiles is said once')
  assert.equal(render('npm', tests, expected, [{ ...note, profile: 'two' }]).problems.length, 1, 'a note for another profile does not count')
  assert.match(render('npm', tests, expected, [note, { ...note, ids: ['gone'] }]).problems.join(), /does not have: remove it/)
})

test('the notes are complete', () => {
  assert.ok(readNotes().length > 0)
})

test('a folder without the suite, and a suite without its modules, are refused with advice', t => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'suite-'))
  t.after(() => fs.rmSync(dir, { recursive: true }))
  assert.throws(() => locate(dir), /holds no http-cache-tests.*--suite/)
  for (const name of ['test-engine/client/runner.mjs', 'tests/index.mjs']) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), '')
  }
  assert.throws(() => locate(dir), /undici is not installed.*npm install/)
})

test('wrong use ends with status 2 and says what to do', () => {
  for (const [args, want] of [
    [[], /--binary is missing/],
    [['--binary', '/does/not/exist'], /does not exist: build the proxy/],
    [['--binary', process.execPath, '--id', 'x'], /name it with --profile/],
    [['--wrong'], /Unknown option '--wrong'/]
  ]) {
    const got = spawnSync(process.execPath, [path.join(here, 'run.mjs'), ...args], { encoding: 'utf8' })
    assert.equal(got.status, 2, got.stderr)
    assert.match(got.stderr, want)
  }
})

test('a server that is preloaded listens on loopback only', async t => {
  t.after(() => stopAll())
  const script = 'const s = require("http").createServer((q, a) => a.end("ok")); s.listen("0", () => console.log("at", s.address().address, s.address().port))'
  const child = start('server', process.execPath, ['--import', path.join(here, 'loopback.mjs'), '-e', script])
  const port = await printed(child, /at 127\.0\.0\.1 (\d+)/)
  await listening(child, Number(port))
  const body = await new Promise((resolve, reject) => http.get(`http://127.0.0.1:${port}/`, answer => answer.on('data', resolve)).on('error', reject))
  assert.equal(body.toString(), 'ok')
})

test('a child that ends before it listens is reported with its last words', async () => {
  const [port] = await freePorts(1)
  const child = start('the proxy', process.execPath, ['-e', 'console.error("no such profile"); process.exit(3)'])
  await assert.rejects(listening(child, port), /the proxy ended with exit code 3:\nno such profile/)
})

test('children that ignore the request to end are stopped all the same', async () => {
  const child = start('stubborn', process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log("ready"); setInterval(() => {}, 1000)'])
  await printed(child, /(ready)/)
  await stopAll(100)
  assert.equal(child.how, 'ended by SIGKILL')
})
