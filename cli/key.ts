import { text as readAll } from 'node:stream/consumers'
import { isAbsolute, resolve } from 'node:path'
import { hashPassword } from '../services/access/basic/password.ts'
import { editConsumers, timeOf } from '../services/access/consumers/consumers-edit.ts'
import { CONSUMER_NAME, KEY_ID } from '../services/access/consumers/options.ts'
import { makeKey } from '../services/access/key/api-key.ts'
import { parseDuration } from '../services/options/units.ts'
import { type AdminClient, withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { loadValid } from './configuration.ts'
import { UsageError } from './errors.ts'
import { painter } from './terminal.ts'

/** Makes, replaces and revokes API keys. */
export const key: Command = {
  name: 'key',
  arguments: 'create|rotate|revoke|password CONSUMER|KEY',
  summary: 'Make an API key for a consumer, replace it, revoke one by its id, or hash a password from standard input',
  options: {
    file: { type: 'string', value: 'FILE', description: "The consumers' file; default: access.consumersFile" },
    expires: { type: 'string', value: 'TIME', description: "When a new key ends: '90d', or a date: '2027-01-31'" },
    grace: {
      type: 'string',
      value: 'TIME',
      description: "rotate: how long the keys before are still accepted ('24h')",
    },
    note: { type: 'string', value: 'TEXT', description: 'What a new key is for' },
    ...ADMIN_OPTIONS,
  },
  positionals: [1, 2],
  run,
}

const DEFAULT_GRACE = '24h'
const NAME = new RegExp(CONSUMER_NAME)
const ID = new RegExp(KEY_ID)

async function run(call: Call): Promise<ExitCode> {
  const [verb, subject] = call.positionals
  switch (verb) {
    case 'create':
      return await create(call, consumerIn(subject), null)
    case 'rotate':
      return await create(call, consumerIn(subject), durationOf(call.text('grace') ?? DEFAULT_GRACE, '--grace'))
    case 'revoke':
      return await revoke(call, idIn(subject))
    case 'password':
      return await password(call)
    default:
      throw new UsageError(`headrace key does 'create', 'rotate', 'revoke' and 'password', not '${verb ?? ''}'`)
  }
}

/** @param graceMs how long the consumer's other keys are still accepted; `null`: they stay as they are */
async function create(call: Call, consumer: string, graceMs: number | null): Promise<ExitCode> {
  const file = await fileOf(call)
  if (file === undefined) return 1
  const { stdout, stderr } = call.surroundings
  const paint = painter(stderr)
  const now = Date.now()
  const { id, key: made, hash } = makeKey()
  const [expires, note] = [call.text('expires'), call.text('note')]
  const written = {
    id,
    hash,
    created: timeOf(now),
    ...(expires !== undefined && { expires: endOf(expires, now) }),
    ...(note !== undefined && { note }),
  }
  const { isNew, ended } = await editConsumers(file, (edit) => {
    const isNew = !edit.hasConsumer(consumer)
    if (graceMs !== null && isNew) throw new UsageError(`there is no consumer '${consumer}' in ${file}`)
    const ended = graceMs === null ? [] : edit.endKeys(consumer, { at: now + graceMs, now })
    edit.addKey(consumer, written)
    return { isNew, ended }
  })
  stdout.write(`${made}\n`)
  stderr.write(
    `${paint('green', '✔')} a key of '${consumer}'${isNew ? ', who is new' : ''}, shown this once: ${file} has its hash\n`,
  )
  if (graceMs !== null && ended.length > 0) {
    stderr.write(
      `${paint('dim', `${ended.join(', ')} ${ended.length === 1 ? 'ends' : 'end'} at ${timeOf(now + graceMs)}`)}\n`,
    )
  }
  return 0
}

/** Takes it out of the file, where it is in one, and has every process of a running gateway refuse it. */
async function revoke(call: Call, id: string): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const paint = painter(stderr)
  const file = await fileOf(call, { needed: false })
  const owner = file === undefined ? undefined : await editConsumers(file, (edit) => edit.removeKey(id))
  if (owner !== undefined) stdout.write(`${paint('green', '✔')} ${id} of '${owner}' is out of ${file}\n`)
  else
    stderr.write(`${paint('yellow', 'warning')} ${id} is in no consumers' file: take it out of the configuration too\n`)
  try {
    const access = await findAdmin(call)
    if (access === undefined) return 1
    const ask = (admin: AdminClient): Promise<{ applied: number }> =>
      admin.post<{ applied: number }>('/consumers/revoke', { key: id }, ['applied'])
    const { applied } = await withAdmin(access, ask)
    stdout.write(
      `${paint('green', '✔')} refused from now on by ${applied === 1 ? 'the gateway' : `${applied} processes`}\n`,
    )
    return 0
  } catch (error) {
    // The file says it to every gateway that follows it; without one, nobody has heard.
    if (owner === undefined) throw error
    stderr.write(`${paint('yellow', 'warning')} ${(error as Error).message}\n`)
    stderr.write(`${paint('dim', 'Gateways that follow the file refuse it within a second.')}\n`)
    return 0
  }
}

async function password({ surroundings }: Call): Promise<ExitCode> {
  const given = (await readAll(surroundings.stdin ?? process.stdin)).replace(/\r?\n$/, '')
  if (given === '') throw new UsageError('there is no password on standard input')
  surroundings.stdout.write(`${await hashPassword(given)}\n`)
  return 0
}

/** @returns `undefined` for an invalid configuration, whose problems are told, and for none where it is not needed */
async function fileOf(call: Call, { needed = true } = {}): Promise<string | undefined> {
  const { cwd } = call.surroundings
  const named = call.text('file')
  if (named !== undefined) return isAbsolute(named) ? named : resolve(cwd, named)
  const config = await loadValid(call)
  const file = config?.access.consumersFile ?? undefined
  if (config !== undefined && file === undefined && needed) {
    throw new UsageError('the configuration names no access.consumersFile to write to: add one, or name it with --file')
  }
  return file
}

function consumerIn(name: string | undefined): string {
  if (name === undefined) throw new UsageError('name the consumer: headrace key create acme')
  if (!NAME.test(name)) {
    throw new UsageError(
      `'${name}' is no name of a consumer: it has up to 64 letters, digits and _ . @ -, a letter or digit first`,
    )
  }
  return name
}

/** The id, also in a whole key, which is then in a shell's history, and better revoked. */
function idIn(text: string | undefined): string {
  const id = text?.startsWith('hr_') === true ? (text.split('_')[1] ?? '') : (text ?? '')
  if (!ID.test(id))
    throw new UsageError('name the key by its id, the part between its underscores: headrace key revoke k3v9x2ab')
  return id
}

function endOf(text: string, now: number): string {
  const duration = parseDuration(text)
  const end = duration === undefined ? dateOf(text) : now + duration
  if (end === undefined) throw new UsageError(`--expires takes '90d' or a date such as '2027-01-31', not '${text}'`)
  if (end <= now) throw new UsageError(`--expires ${text} is over: the key would never be accepted`)
  return duration === undefined ? text : timeOf(end)
}

/** Epoch, ms; `undefined` for what is none, such as the 31st of February. */
function dateOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text)) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text.slice(0, 10)) ? undefined : date.getTime()
}

function durationOf(text: string, option: string): number {
  const duration = parseDuration(text)
  if (duration === undefined) throw new UsageError(`${option} takes a duration such as '24h', not '${text}'`)
  return duration
}
