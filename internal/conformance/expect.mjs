// The committed expectations: one file per state of the suite and profile, a sorted map from case to outcome.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { kindOf, message } from './score.mjs'

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'expected')

export const none = '(none)'

function file (state, profile) {
  return path.join(folder, `${state}-${profile}.json`)
}

// read gives the expectation, or undefined when none is recorded.
export function read (state, profile) {
  const name = file(state, profile)
  if (!fs.existsSync(name)) return undefined
  try {
    return JSON.parse(fs.readFileSync(name, 'utf8'))
  } catch (err) {
    throw new Error(`${name} is not valid JSON (${err.message}): repair it, or write it anew with --update`)
  }
}

export function write (state, profile, outcomes) {
  const sorted = Object.fromEntries(Object.entries(outcomes).sort(([a], [b]) => (a < b ? -1 : 1)))
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(file(state, profile), JSON.stringify(sorted, null, 2) + '\n')
}

// differences lists every case whose outcome is not the expected one, better or worse, and every case that only one side knows.
export function differences (tests, expected, got, results) {
  const kind = new Map(tests.map(test => [test.id, kindOf(test)]))
  return [...new Set([...Object.keys(expected), ...Object.keys(got)])].sort()
    .filter(id => expected[id] !== got[id])
    .map(id => ({
      id,
      kind: kind.get(id) ?? '-',
      expected: expected[id] ?? none,
      got: got[id] ?? none,
      message: id in got ? message(results[id]) : 'no such case in this suite'
    }))
}

// table lays rows of equal keys out in columns, the keys as heads.
export function table (rows) {
  const heads = Object.keys(rows[0])
  const lines = [heads, ...rows.map(row => heads.map(head => String(row[head])))]
  const widths = heads.map((_, i) => Math.max(...lines.map(line => line[i].length)))
  return lines.map(line => line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()).join('\n')
}
