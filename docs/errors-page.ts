import { readFileSync } from 'node:fs'
import { PROBLEM_CODES } from '../config/errors.ts'

/** Which files define errors, by what they are about. */
const CHAPTERS: [title: string, introduction: string, file: string][] = [
  ['Requests and routes', 'Answered to clients.', 'services/http/errors.ts'],
  ['What a request may be like', "Answered to clients, by the route's `request`.", 'services/request/errors.ts'],
  [
    'Validation',
    'Answered to clients; the last is told at the start. Those of requests have `errors`: where, and what.',
    'services/validation/errors.ts',
  ],
  ['Transformations', 'Answered to clients; the last is told at the start.', 'services/transform/errors.ts'],
  ['CORS', 'Answered to clients.', 'services/cors/errors.ts'],
  ['Security headers', 'Told at the start.', 'services/security-headers/errors.ts'],
  [
    'Upstreams',
    'Answered to clients when an upstream fails: 502 broken, 504 late, 503 overfull.',
    'services/upstream/errors.ts',
  ],
  ['Access', 'Answered to clients; those with status 500 are told at the start.', 'services/access/errors.ts'],
  [
    'Tokens',
    'Answered to clients, or in the log; key sets of the configuration at the start.',
    'services/access/jwt/errors.ts',
  ],
  ['Logins', 'Answered to browsers; secrets of cookies at the start.', 'services/access/oidc/errors.ts'],
  ['Revocation', 'In the log, and on the admin listener.', 'services/access/revoked/errors.ts'],
  ['Forwarded decisions', 'Answered to clients.', 'services/access/forward/errors.ts'],
  ['Cache', 'Answered to clients, and on the admin listener.', 'services/cache/errors.ts'],
  ['WebSocket', 'Answered to clients, in place of the protocol that they ask for.', 'services/websocket/errors.ts'],
  ['Listeners and TLS', 'Answered to clients below the gateway, and told at the start.', 'services/listener/errors.ts'],
  [
    'Reload',
    'Answered on the admin listener, in the log, and told by the command: what runs has stayed as it was.',
    'services/configuration/errors.ts',
  ],
  ['Control plane', 'Answered on the admin listener, and told by the command.', 'services/control/errors.ts'],
  [
    'Stored responses',
    'In the log: what a tier holds cannot be read, and counts as not there.',
    'services/cache/store/errors.ts',
  ],
  ['Redis', 'In the log, and of a tier that is away: requests go on without it.', 'services/redis/errors.ts'],
  ['Cache for code', 'Thrown to the code that calls `responseCache`.', 'services/cache/values/errors.ts'],
  [
    'OpenAPI documents',
    'Warnings in the log: a document that cannot be had is left out.',
    'services/openapi/errors.ts',
  ],
  ['Compression', 'Thrown to the code that registers the plugin.', 'services/compression/errors.ts'],
  ['Worker threads', 'Thrown to the code that gives them work.', 'services/workers/errors.ts'],
  ['Command line', 'Told by the command.', 'cli/errors.ts'],
  ['Answers of the gateway', 'Told at the start.', 'services/answer/errors.ts'],
  ['Mocked routes', 'Answered to clients; the last is told at the start.', 'services/mock/errors.ts'],
  [
    'Maintenance',
    'Answered to clients, on the admin listener, and told at the start.',
    'services/maintenance/errors.ts',
  ],
  ['Rate limits', 'Answered to clients; the last two are told at the start.', 'services/limit/errors.ts'],
  [
    'Load shedding',
    'Answered to clients; the last is thrown to the code that registers the plugin.',
    'services/pressure/errors.ts',
  ],
  ['Routes of the configuration', 'Told by `headrace check` and at the start.', 'services/routing/errors.ts'],
]

const INTRODUCTION = `# Errors

Each error that a client sees is a problem document (RFC 9457, \`application/problem+json\`):

\`\`\`json
{
  "type": "about:blank",
  "title": "Bad Gateway",
  "status": 502,
  "code": "HR_UPSTREAM_CONNECT",
  "detail": "The upstream 'fleet' cannot be reached. Try again later.",
  "requestId": "mJ2B4S6a-3"
}
\`\`\`

\`code\` is for programs and does not change; \`detail\` is for people; the log has the rest under \`requestId\`. Each code below
is from the place that defines it (\`npm run docs\` writes this page).
`

/** A definition: its docstring, its code, its status. */
const DEFINITION =
  /\/\*\*([^]*?)\*\/\s*export const \w+ = createError(?:<[^>]*>)?\(\s*'(HR_\w+)',[^]*?,\s*(\d{3}),?\s*\)/g

/** docs/errors.md, from the files that define errors. */
export function errorsPage(): string {
  const chapters = CHAPTERS.map(([title, introduction, file]) => {
    const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
    const rows = [...source.matchAll(DEFINITION)].map(([, comment = '', code, status]) => {
      return `| \`${code}\` | ${status} | ${prose(comment)} |`
    })
    return `## ${title}\n\n${introduction}\n\n| code | status | when |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  const rows = Object.entries(PROBLEM_CODES).map(([code, when]) => `| \`${code}\` | ${when} |`)
  const configuration = `## Configuration\n\nTold by \`headrace check\` and at the start.\n\n| code | when |\n|---|---|\n${rows.join('\n')}\n`
  return [INTRODUCTION, ...chapters, configuration].join('\n')
}

function prose(comment: string): string {
  return comment
    .replace(/^\s*\*\s?/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('|', '\\|')
}
