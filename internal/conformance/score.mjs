// What the suite's raw results mean, by the suite's own rules.

export const kinds = ['required', 'optimal', 'check']

// kindOf gives required, optimal or check; a case that names no kind is required.
export function kindOf (test) {
  return test.kind ?? 'required'
}

const good = { required: 'pass', optimal: 'pass', check: 'yes' }
const bad = { required: 'fail', optimal: 'optional_fail', check: 'no' }

// passes tells whether an outcome lets the cases that depend on it count.
export function passes (outcome) {
  return outcome === 'pass' || outcome === 'yes'
}

// outcomes maps every case to pass, fail, optional_fail, yes, no, dependency_fail, setup_fail, retry, harness_fail
// or untested. A raw result is true, or the pair [error name, message].
export function outcomes (tests, results) {
  const byId = new Map(tests.map(test => [test.id, test]))
  const known = new Map()
  const outcome = id => {
    if (!known.has(id)) known.set(id, judge(byId.get(id), results[id], outcome))
    return known.get(id)
  }
  return Object.fromEntries(tests.map(test => test.id).sort().map(id => [id, outcome(id)]))
}

function judge (test, result, outcome) {
  if (test === undefined || result === undefined) return 'untested'
  if ((test.depends_on ?? []).some(id => !passes(outcome(id)))) return 'dependency_fail'
  if (result === true) return good[kindOf(test)]
  const [name, message] = Array.isArray(result) ? result : []
  if (name === 'Setup') return message === 'retry' ? 'retry' : 'setup_fail'
  if (name === undefined || name === 'AbortError') return 'harness_fail'
  return bad[kindOf(test)]
}

// message gives the suite's words on a raw result that is not a pass.
export function message (result) {
  if (result === true) return ''
  return Array.isArray(result) ? `${result[0]}: ${result[1]}` : 'no result'
}

// totals counts outcomes by kind: {required: {n, good, bad, other}, ...}; other is what could not be decided
// (dependency, set-up, retry, harness).
export function totals (tests, byId) {
  const sums = Object.fromEntries(kinds.map(kind => [kind, { n: 0, good: 0, bad: 0, other: 0 }]))
  for (const test of tests) {
    const kind = kindOf(test)
    const outcome = byId[test.id]
    const column = outcome === good[kind] ? 'good' : outcome === bad[kind] ? 'bad' : 'other'
    sums[kind].n++
    sums[kind][column]++
  }
  return sums
}

// summary is the line for one profile. The suite counts the cases for CDN-Cache-Control (RFC 9213) by themselves.
export function summary (profile, tests, byId) {
  const part = tests => {
    const { required, optimal, check } = totals(tests, byId)
    const undecided = check.other > 0 ? ` ${check.other} undecided` : ''
    return `required ${required.good}/${required.n}, optimal ${optimal.good}/${optimal.n}, ` +
      `check ${check.good} yes ${check.bad} no${undecided}`
  }
  const cdn = tests.filter(test => test.cdn_only === true)
  const line = `${profile}: ${part(tests.filter(test => test.cdn_only !== true))}`
  return cdn.length > 0 ? `${line}; CDN-Cache-Control: ${part(cdn)}` : line
}
