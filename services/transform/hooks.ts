import type { GatewayError } from '../http/problem.ts'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HookError, HookOutdatedError, HookSourceError, HookTimeoutError } from './errors.ts'
import { digestFile, moduleFiles } from '../options/module-files.ts'
import type { HookReference, TransformOptions } from './options.ts'

/** What a hook is shown of a request, as its upstream would be sent it. */
export interface RequestHookInput {
  readonly method: string
  readonly path: string
  /** With its question mark; empty for none. */
  readonly query: string
  /** Names in lower case; lines of one name joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON as it is parsed; `undefined` without a body, and for one of another type. */
  readonly body: unknown
  readonly requestId: string
  /** Of the configuration; `null` for a caller that is none. */
  readonly consumer: string | null
  readonly claims: Readonly<Record<string, unknown>>
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
}

/** What a hook makes of it; what it does not name stays. */
export interface RequestHookResult {
  /** Fields in place of those of their name; `null` leaves one out. */
  headers?: Readonly<Record<string, string | null>>
  /** JSON in place of the body. */
  body?: unknown
  /** The request is answered with a problem, and not sent. */
  refuse?: { status: number; detail: string }
}

/**
 * What a hook is shown of an answer. Nothing of the client is in it: what the hook makes of it may be stored, and given to
 * others.
 */
export interface ResponseHookInput {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly signal: AbortSignal
}

export interface ResponseHookResult {
  status?: number
  headers?: Readonly<Record<string, string | null>>
  body?: unknown
}

type Given<Result> = Result | undefined | void
export type RequestHook = (request: RequestHookInput) => Given<RequestHookResult> | Promise<Given<RequestHookResult>>
export type ResponseHook = (
  response: ResponseHookInput,
) => Given<ResponseHookResult> | Promise<Given<ResponseHookResult>>

/** Types a hook of requests where it is written: `export const addTenant = defineRequestHook(({ headers }) => …)`. */
export function defineRequestHook(hook: RequestHook): RequestHook {
  return hook
}

/** {@link defineRequestHook} of answers. */
export function defineResponseHook(hook: ResponseHook): ResponseHook {
  return hook
}

type AnyHook = RequestHook & ResponseHook

/** The hooks of a configuration, loaded. */
export class Hooks {
  readonly #loaded: ReadonlyMap<string, AnyHook>

  constructor(loaded: ReadonlyMap<string, AnyHook> = new Map()) {
    this.#loaded = loaded
  }

  /** @throws HR_TRANSFORM_HOOK_SOURCE for one that was not loaded */
  get(reference: HookReference): AnyHook {
    const hook = this.#loaded.get(nameOf(reference))
    if (hook === undefined) throw new HookSourceError(shortName(reference), 'is not loaded')
    return hook
  }
}

/** What hooks import, with the content that it had when this process loaded it: Node keeps that until the process ends. */
const imported = new Map<string, string>()

/**
 * Loads the hooks of all routes. A file that has changed is loaded anew; what it imports cannot be.
 *
 * @throws HR_TRANSFORM_HOOK_SOURCE, HR_TRANSFORM_HOOK_OUTDATED
 */
export async function loadHooks(routes: readonly { transform: TransformOptions | null }[]): Promise<Hooks> {
  const loaded = new Map<string, AnyHook>()
  for (const { transform } of routes) {
    for (const reference of [transform?.request.hook, transform?.response.hook]) {
      if (reference !== null && reference !== undefined) loaded.set(nameOf(reference), await load(reference))
    }
  }
  return new Hooks(loaded)
}

async function load(reference: HookReference): Promise<AnyHook> {
  let exported: unknown
  const [file = '', ...others] = moduleFiles(reference.file)
  for (const other of others) {
    const digest = digestFile(other)
    const known = imported.get(other)
    if (known !== undefined && known !== digest) throw new HookOutdatedError(shortName(reference), basename(other))
    imported.set(other, digest)
  }
  try {
    readFileSync(file)
    const module = (await import(`${pathToFileURL(file).href}?${digestFile(file)}`)) as Record<string, unknown>
    exported = module[reference.name]
  } catch (cause) {
    throw new HookSourceError(shortName(reference), `cannot be loaded: ${(cause as Error).message}`, { cause })
  }
  if (typeof exported === 'function') return exported as AnyHook
  throw new HookSourceError(shortName(reference), `is ${exported === undefined ? 'not exported' : 'no function'}`)
}

const nameOf = ({ file, name }: HookReference): string => `${file}#${name}`
/** As people are told it: where the file lies is not for clients. */
export const shortName = ({ file, name }: HookReference): string => `${file.split(/[\\/]/).at(-1)}#${name}`

/** What a hook has failed with, or what it gave back, as it is told. */
export function hookFailure(cause: unknown, name: string): GatewayError {
  return cause instanceof HookTimeoutError || cause instanceof HookError ? cause : new HookError(name, { cause })
}

/**
 * Runs a hook within its time. One that waits for something is given up then, and told by its signal; one that computes
 * keeps the process from all else as long as it does, and has failed where that was too long.
 *
 * @throws HR_TRANSFORM_HOOK, HR_TRANSFORM_HOOK_TIMEOUT
 */
export async function runHook<Input extends { signal: AbortSignal }, Result>(
  hook: (input: Input) => Result | Promise<Result>,
  input: Omit<Input, 'signal'>,
  { name, timeoutMs }: { name: string; timeoutMs: number },
): Promise<Result> {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  // A process that comes to its end does not wait for it.
  const timer = setTimeout(() => late.reject(new HookTimeoutError(name, timeoutMs)), timeoutMs).unref()
  const startedAt = performance.now()
  try {
    const given = hook({ ...input, signal: stop.signal } as Input)
    const result = given instanceof Promise ? await Promise.race([given, late.promise]) : given
    if (performance.now() - startedAt > timeoutMs) throw new HookTimeoutError(name, timeoutMs)
    return result
  } catch (cause) {
    throw hookFailure(cause, name)
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}
