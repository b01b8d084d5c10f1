import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { counted } from './counted.ts'
import { UsageError } from './errors.ts'
import { painter } from './terminal.ts'

/** Empties the cache of a running gateway, or a part of it. */
export const purge: Command = {
  name: 'purge',
  arguments: '[URL]',
  summary: 'Purge the cache of the running gateway: one URL, or what an option names',
  options: {
    prefix: { type: 'string', value: 'URL', description: 'Every URL, or path, that begins so: /vehicles/' },
    pattern: { type: 'string', value: 'URL', description: "Every URL, or path, that fits: '/vehicles/*/photo'" },
    tag: {
      type: 'string',
      value: 'TAG',
      description: 'Everything with this tag, of its route or by its origin (Surrogate-Key, Cache-Tag)',
    },
    all: { type: 'boolean', description: 'Everything' },
    soft: { type: 'boolean', description: 'Keep it, to be validated before its next use or served stale' },
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON: { purged, processes, waiting }' },
    ...ADMIN_OPTIONS,
  },
  positionals: [0, 1],
  run,
}

interface Purged {
  purged: number
  processes: number
  /** Of these, whose second tier is away. */
  waiting: number
}

const WAITING =
  'the second tier of the cache is away. It gets this purge before it is read again, and other machines hear of it only then'

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const mode = call.has('soft') ? 'soft' : 'hard'
  const named = namedBy(call)
  const body = { ...named, mode }
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const answer = await withAdmin(access, (admin) => {
    return admin.post<Purged>('/cache/purge', body, ['purged', 'processes', 'waiting'])
  })
  if (call.has('json')) stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
  else stdout.write(`${painter(stdout)('green', '✔')} ${inWords(answer, mode)}${hintFor(answer, named)}\n`)
  if (answer.waiting > 0) stderr.write(`${painter(stderr)('yellow', 'warning')} ${WAITING}\n`)
  return 0
}

/** @throws HR_CLI_USAGE where none or several are named */
function namedBy(call: Call): Record<string, string | true> {
  const [url] = call.positionals
  const named: [name: string, value: string | true | undefined][] = [
    ['url', url],
    ['prefix', call.text('prefix')],
    ['pattern', call.text('pattern')],
    ['tag', call.text('tag')],
    ['all', call.has('all') || undefined],
  ]
  const given = named.filter((pair): pair is [string, string | true] => pair[1] !== undefined)
  if (given.length === 1) return Object.fromEntries(given)
  const what = given.map(([name]) => (name === 'url' ? 'a URL' : `--${name}`)).join(' and ')
  throw new UsageError(
    given.length === 0
      ? 'purge needs a URL, --prefix, --pattern, --tag or --all'
      : `purge takes one of a URL, --prefix, --pattern, --tag and --all, not ${what}`,
  )
}

/** Behind a proxy that ends TLS, or asks by another name, what people know is not what the gateway was asked for. */
function hintFor({ purged }: Purged, named: Record<string, string | true>): string {
  const hasHost = Object.values(named).some((value) => typeof value === 'string' && value.includes('://'))
  return purged === 0 && hasHost ? '; a path alone (/vehicles/7) fits whatever the scheme and host' : ''
}

function inWords({ purged, processes }: Purged, mode: 'hard' | 'soft'): string {
  const where = processes === 1 ? '' : ` in ${processes} processes`
  if (purged === 0) return `nothing was stored that fits${where}`
  const done = mode === 'soft' ? 'marked as stale' : 'purged'
  return `${counted(purged, 'stored response')} ${done}${where}`
}
