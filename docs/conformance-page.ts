import type { Case, Kind } from '../test/conformance/http-cache/case.ts'
import { CASES, CHAPTERS } from '../test/conformance/http-cache/cases/index.ts'
import { DIFFERENCES, PROFILES, type Profile, reasonFor } from '../test/conformance/http-cache/differences.ts'

const INTRODUCTION = `# Conformance of the cache

The rules of HTTP caching that \`npm run conformance\` runs through the gateway over HTTP/1.1, in both profiles of the
cache. It fails where the gateway does anything else than this page says; every \`npm test\` holds the same with a clock
that jumps.

- **required**: the RFC demands it.
- **optimal**: what a good cache does.
- **check**: either is right; the page says what we do.

The rules cover what the public suite for HTTP caches (http-tests/cache-tests) asks, in cases of our own. These figures
are not that suite's: six of its demands are put in another way here, and this cache does not meet them there.

- One required: a body in a made-up transfer coding is to be passed on and stored. Here the demand is that of a chunked
  body; \`fields/unknown-coding\` has the other as a check.
- One optimal: 304 to an If-Modified-Since before Date, without Last-Modified. RFC 9111 §4.3.2 says the opposite:
  \`since/date\` demands that, and \`since/before-date\` has the other as a check.
- Four optimal: parts are to be reused whose Content-Range names a byte more than they have. Here the parts are as long as
  they say; \`range/mislabelled\` has the other as a check.
`

const KINDS: readonly Kind[] = ['required', 'optimal', 'check']

/** docs/conformance.md, from the cases and the list of differences. */
export function conformancePage(): string {
  const chapters = CHAPTERS.map(({ title, cases }) => `### ${title}\n\n${tableOf(cases)}`)
  return [INTRODUCTION, summary(), differences(), '## Rules\n', chapters.join('\n')].join('\n')
}

function summary(): string {
  const lines = PROFILES.map(
    (profile) => `| \`${profile}\` | ${KINDS.map((kind) => ratio(kind, profile)).join(' | ')} |`,
  )
  return `| profile | ${KINDS.join(' | ')} |\n|---|${KINDS.map(() => '---').join('|')}|\n${lines.join('\n')}\n`
}

function ratio(kind: Kind, profile: Profile): string {
  const all = CASES.filter((subject) => subject.kind === kind)
  return `${all.filter(({ id }) => reasonFor(id, profile) === undefined).length} of ${all.length}`
}

function differences(): string {
  const lines = DIFFERENCES.map(({ ids, profiles, reason }) => {
    const names = ids.map((id) => `\`${id}\``).join(', ')
    return `| ${names} | ${profiles.length === PROFILES.length ? 'both' : profiles.join(', ')} | ${reason} |`
  })
  return `## Where we differ\n\n| rules | profile | why |\n|---|---|---|\n${lines.join('\n')}\n`
}

function tableOf(cases: readonly Case[]): string {
  const lines = cases.map(({ id, kind, rfc, rule }) => {
    const results = PROFILES.map((profile) => resultOf(kind, reasonFor(id, profile)))
    return `| \`${id}\` | ${escape(rule)} | ${rfc} | ${kind} | ${results.join(' | ')} |`
  })
  return `| id | the cache … | RFC | kind | ${PROFILES.join(' | ')} |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n`
}

/** A check is a question, the others are demands. */
function resultOf(kind: Kind, reason: string | undefined): string {
  if (kind === 'check') return reason === undefined ? 'yes' : 'no'
  return reason === undefined ? 'pass' : 'differs'
}

const escape = (text: string): string => text.replace(/[|*]/g, '\\$&')
