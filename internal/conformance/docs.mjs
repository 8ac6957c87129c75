// The generated tables of docs/conformance.md: made from the expectations and the hand-kept notes, so that the page
// cannot say anything but what the last accepted run gave.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { kindOf, passes, totals } from './score.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const page = path.join(here, '..', '..', 'docs', 'conformance.md')
const notesFile = path.join(here, 'notes.json')

// readNotes gives the notes: [{ids, why, clause, suite?, profile?, outcome?}]; the last three narrow a note down.
export function readNotes () {
  const notes = JSON.parse(fs.readFileSync(notesFile, 'utf8'))
  for (const note of notes) {
    if (!Array.isArray(note.ids) || note.ids.length === 0 || !note.why || !note.clause) {
      throw new Error(`notes.json: every note needs ids, why and clause: ${JSON.stringify(note)}`)
    }
  }
  return notes
}

function findNote (notes, id, where) {
  const fits = note => ['suite', 'profile', 'outcome'].every(key => note[key] === undefined || note[key] === where[key])
  return notes.find(note => note.ids.includes(id) && fits(note))
}

// reason explains one outcome: the case it depends on, or the note. It is undefined when nobody has written why.
function reason (notes, test, where, byId) {
  if (where.outcome === 'dependency_fail') {
    const on = (test.depends_on ?? []).filter(id => !passes(byId[id]))
    return `not judged: depends on ${on.map(id => '`' + id + '`').join(', ')}`
  }
  const note = findNote(notes, test.id, where)
  return note && `${note.why} (${note.clause})`
}

function row (...cells) {
  return `| ${cells.map(cell => String(cell).replace(/\s+/g, ' ').replaceAll('|', '\\|').trim()).join(' | ')} |`
}

function head (...cells) {
  return [row(...cells), `|${cells.map(() => '---').join('|')}|`]
}

function totalsTable (tests, expected) {
  const lines = head('profile', 'cases', 'required', 'optimal', 'check: yes', 'no', 'undecided')
  const groups = [['HTTP caching', tests.filter(test => !test.cdn_only)], ['CDN-Cache-Control', tests.filter(test => test.cdn_only)]]
  for (const [profile, byId] of Object.entries(expected)) {
    for (const [name, group] of groups.filter(([, group]) => group.length > 0)) {
      const sums = totals(group, byId)
      const score = kind => `${sums[kind].good}/${sums[kind].n}`
      lines.push(row(profile, name, score('required'), score('optimal'), sums.check.good, sums.check.bad, sums.check.other))
    }
  }
  return lines
}

// failuresTable lists required and optimal cases that do not pass; problems collects those without a note.
function failuresTable (state, tests, expected, notes, problems) {
  const lines = tests.filter(test => kindOf(test) !== 'check').flatMap(test => {
    const profiles = new Map() // outcome and why -> profiles, so that what is the same in both is said once
    for (const [profile, byId] of Object.entries(expected)) {
      const outcome = byId[test.id] ?? 'untested'
      if (passes(outcome)) continue
      const why = reason(notes, test, { suite: state, profile, outcome }, byId)
      if (why === undefined) problems.push(`${kindOf(test)} case ${test.id} is ${outcome} in profile ${profile}: write why into notes.json`)
      const key = row(outcome, why ?? '')
      profiles.set(key, [...(profiles.get(key) ?? []), profile])
    }
    return [...profiles].map(([key, names]) => row('`' + test.id + '`', kindOf(test), names.join(', ')) + key.slice(1))
  })
  if (lines.length === 0) return ['Every required and optimal case passes, in every profile.']
  return [...head('case', 'kind', 'profile', 'outcome', 'why'), ...lines]
}

function checksTable (state, tests, expected, notes) {
  const profiles = Object.keys(expected)
  const lines = head('case', 'question', ...profiles, 'why')
  for (const test of tests.filter(test => kindOf(test) === 'check')) {
    const answers = profiles.map(profile => expected[profile][test.id] ?? 'untested')
    const whys = profiles.map((profile, i) =>
      reason(notes, test, { suite: state, profile, outcome: answers[i] }, expected[profile]) ?? '')
    lines.push(row('`' + test.id + '`', test.name, ...answers, [...new Set(whys)].filter(Boolean).join('; ')))
  }
  return lines
}

// render gives the generated part for one state of the suite, and what is missing from the notes.
export function render (state, tests, expected, notes) {
  const problems = []
  const ids = new Set(tests.map(test => test.id))
  for (const id of notes.filter(note => note.suite === state).flatMap(note => note.ids).filter(id => !ids.has(id))) {
    problems.push(`notes.json explains ${id}, which the ${state} state of the suite does not have: remove it`)
  }
  const text = [
    ...totalsTable(tests, expected),
    '', '#### Required and optimal cases that do not pass', '',
    ...failuresTable(state, tests, expected, notes, problems),
    '', '#### Check cases: what it does', '',
    ...checksTable(state, tests, expected, notes)
  ].join('\n')
  return { text, problems }
}

function place (state, whole, text) {
  const begin = `<!-- generated: ${state} -->`
  const end = `<!-- end: ${state} -->`
  const from = whole.indexOf(begin)
  const to = whole.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/conformance.md lacks the markers ${begin} and ${end}: put them back`)
  return `${whole.slice(0, from)}${begin}\n\n${text}\n\n${whole.slice(to)}`
}

// update writes the generated part of the page anew and gives what is missing from the notes.
export function update (state, tests, expected) {
  const { text, problems } = render(state, tests, expected, readNotes())
  fs.writeFileSync(page, place(state, fs.readFileSync(page, 'utf8'), text))
  return problems
}

// check gives what is wrong with the page: out of date, or a case that does not pass and has no note.
export function check (state, tests, expected) {
  const { text, problems } = render(state, tests, expected, readNotes())
  const whole = fs.readFileSync(page, 'utf8')
  if (place(state, whole, text) === whole) return problems
  return [...problems, 'docs/conformance.md is not what expected/ and notes.json give: write it anew with --update']
}
