import { setTimeout as wait } from 'node:timers/promises'
import { type AdminClient, withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { painter } from './terminal.ts'

/** Has a running gateway ask for URLs, so that they are cached before clients want them. */
export const warm: Command = {
  name: 'warm',
  arguments: '[URL…]',
  summary: 'Warm the cache of the running gateway: these URLs, or the configured list',
  options: {
    'no-wait': { type: 'boolean', description: 'Begin, and do not wait until it is done' },
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON' },
    ...ADMIN_OPTIONS,
  },
  positionals: [0, 1000],
  run,
}

interface Progress {
  state: string
  total: number
  done: number
  failed: number
  failures: { url: string; reason: string }[]
}

/** Scheme and host are part of every key. */
const LOCAL =
  'a path alone is warm for localhost only: name the URL that clients ask for, such as https://api.example.com/vehicles'
const MEMBERS = ['state', 'total', 'done', 'failed', 'failures'] as const
/** Between two looks. */
const LOOK_EVERY_MS = 250

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const { positionals: urls } = call
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const progress = await withAdmin(access, async (admin) => {
    const begun = await admin.post<Progress>('/cache/warm', urls.length === 0 ? {} : { urls }, MEMBERS)
    return call.has('no-wait') ? begun : await finished(admin, begun)
  })
  if (call.has('json')) stdout.write(`${JSON.stringify(progress, null, 2)}\n`)
  else {
    const paint = painter(stderr)
    for (const { url, reason } of progress.failures) stderr.write(`${paint('yellow', 'warning')} ${url}: ${reason}\n`)
    if (urls.some((url) => url.startsWith('/'))) stderr.write(`${paint('yellow', 'note')} ${LOCAL}\n`)
    stdout.write(`${painter(stdout)('green', '✔')} ${inWords(progress)}\n`)
  }
  return progress.failed === 0 && progress.state !== 'cancelled' ? 0 : 1
}

async function finished(admin: AdminClient, begun: Progress): Promise<Progress> {
  let progress = begun
  while (progress.state === 'running') {
    await wait(LOOK_EVERY_MS)
    progress = await admin.get<Progress>('/cache/warm', MEMBERS)
  }
  return progress
}

function inWords({ state, total, done, failed }: Progress): string {
  if (total === 0) return 'nothing to ask for: name URLs, or list them as cache.warm in the configuration'
  const failures = failed === 0 ? '' : `, ${failed} failed`
  return state === 'done' ? `${total} asked for${failures}` : `${state}: ${done} of ${total} asked for${failures}`
}
