import type { Case, Kind } from './case.ts'
import { CASES, CHAPTERS } from './cases/index.ts'
import { reasonFor, type Profile } from './differences.ts'
import type { Results } from './suite.ts'

/** Results by what was tested: a profile, or the address of another cache. */
export type Columns = Readonly<Record<string, Results>>

const KINDS: readonly Kind[] = ['required', 'optimal', 'check']

/** A line a rule: the rule, its RFC, and the result of each column; why, where one fails. */
export function table(columns: Columns): string {
  const lines: string[] = []
  for (const { title, cases } of CHAPTERS) {
    lines.push('', title)
    for (const subject of cases) lines.push(...linesOf(subject, columns))
  }
  return lines.join('\n')
}

function linesOf({ id, kind, rfc, rule }: Case, columns: Columns): string[] {
  const marks = Object.values(columns).map((results) => mark(kind, results.get(id)))
  const reasons = Object.entries(columns).flatMap(([column, results]) => {
    const failure = results.get(id)
    return failure ? [`      ${column}: ${failure}`] : []
  })
  return [`  ${marks.join(' ')}  ${kind.padEnd(8)}  ${id.padEnd(36)} ${rule} (RFC ${rfc})`, ...reasons]
}

function mark(kind: Kind, failure: string | null | undefined): string {
  if (kind === 'check') return failure === null ? 'yes ' : 'no  '
  return failure === null ? 'pass' : 'FAIL'
}

/** `rfc: required 158/158, optimal 101/105, check 60/105`, a line a column. */
export function totals(columns: Columns): string {
  return Object.entries(columns)
    .map(([column, results]) => `${column}: ${KINDS.map((kind) => `${kind} ${ratio(kind, results)}`).join(', ')}`)
    .join('\n')
}

function ratio(kind: Kind, results: Results): string {
  const all = CASES.filter((subject) => subject.kind === kind)
  return `${all.filter(({ id }) => results.get(id) === null).length}/${all.length}`
}

/** What the results have different from what is written down: a sentence each. */
export function surprises(profile: Profile, results: Results): string[] {
  return CASES.flatMap(({ id }) => {
    const failure = results.get(id)
    const listed = reasonFor(id, profile)
    if (failure !== null && listed === undefined) return [`${profile}: ${id}: ${failure ?? 'it did not run'}`]
    if (failure === null && listed !== undefined) return [`${profile}: ${id} passes: take it out of differences.ts`]
    return []
  })
}
