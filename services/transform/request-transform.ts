import { requestFieldValue } from '../cache/rules/message.ts'
import { readContent, streamOf } from '../downstream/content.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import { onlyField } from '../http/request-fields.ts'
import { dropDigests, isJson } from './digests.ts'
import { HookRefusal, RequestBodyError, RequestCodedError, RequestDuplicateError, RequestLargeError } from './errors.ts'
import { CompiledFields } from './field-changes.ts'
import { hookFailure, type RequestHook, type RequestHookInput, type RequestHookResult, runHook } from './hooks.ts'
import { shownFields, takeFields } from './hook-fields.ts'
import type { HookFailure } from './hook-log.ts'
import { CompiledBody, NoJson, readJson, writeJson } from './json-body.ts'
import type { TransformOptions } from './options.ts'
import { CompiledQuery } from './query-changes.ts'

/** What a pointer is cut to: its names are the client's. */
const MOST_POINTER = 256

export interface RequestTransformParts {
  /** Of the route, by their names. */
  parameters: readonly string[]
  /** What a body of the route may have at all. */
  limitBytes: number
  hook: { run: RequestHook; name: string } | null
  /** Told of what a hook has failed on. */
  failed: (told: Pick<HookFailure, 'error' | 'requestId'>) => void
}

/**
 * What becomes of a request on its way to the upstream: behind all gates and the look-up, so that what the cache goes by is
 * what the client has sent.
 */
export class RequestTransform {
  readonly #options: TransformOptions
  readonly #parts: RequestTransformParts
  readonly #fields: CompiledFields | null
  readonly #query: CompiledQuery | null
  readonly #body: CompiledBody | null

  constructor(options: TransformOptions, parts: RequestTransformParts) {
    const { headers, query, body } = options.request
    this.#options = options
    this.#parts = parts
    this.#fields = headers === null ? null : new CompiledFields(headers, parts.parameters, 'request')
    this.#query = query === null ? null : new CompiledQuery(query, parts.parameters)
    this.#body = body === null ? null : new CompiledBody(body)
  }

  /**
   * Changes the exchange: to be called once, on one that nobody looks anything up by any more.
   *
   * @returns why it is not sent
   */
  apply(exchange: Exchange): undefined | Promise<GatewayError | undefined> {
    this.applyHead(exchange)
    return this.#body === null && this.#parts.hook === null ? undefined : this.#rest(exchange)
  }

  /** The declared changes to its head alone. */
  applyHead(exchange: Exchange): void {
    // Both by what has come.
    if (this.#query !== null) exchange.sentQuery = this.#query.apply(exchange)
    this.#fields?.apply(exchange.fields.kept, exchange)
  }

  async #rest(exchange: Exchange): Promise<GatewayError | undefined> {
    try {
      const body = await this.#readBody(exchange)
      const changed = body === undefined ? undefined : (this.#body?.apply(body) ?? body)
      const made = await this.#run(exchange, changed)
      if (made?.refuse) return refusal(made.refuse)
      if (made?.body === undefined && changed !== undefined && this.#body !== null) writeBody(exchange, changed)
      return undefined
    } catch (error) {
      if (isRefusal(error)) return error
      throw error
    }
  }

  /** @returns `undefined` where there is none, or one of another type */
  async #readBody(exchange: Exchange): Promise<unknown> {
    const { kept, contentLength } = exchange.fields
    if (exchange.body === null) return undefined
    const type = onlyField(kept, 'content-type')
    if (type === '') throw new RequestBodyError('has two types')
    if (!isJson(type)) return undefined
    const coding = requestFieldValue(kept, 'content-encoding')
    if (coding !== undefined && coding.toLowerCase() !== 'identity') throw new RequestCodedError()
    const { bodyBytes: mostBytes } = this.#options
    const isLarge = contentLength !== undefined && Number(contentLength) > mostBytes
    const limits = { mostBytes, limitBytes: this.#parts.limitBytes }
    const bytes = isLarge ? undefined : await readContent(exchange, limits)
    if (bytes === undefined) throw new RequestLargeError(mostBytes)
    const read = readJson(bytes)
    if (read instanceof NoJson) throw new RequestBodyError(read.reason)
    const { value, duplicate } = read
    if (duplicate !== undefined) throw new RequestDuplicateError(duplicate.slice(0, MOST_POINTER))
    return value
  }

  async #run(exchange: Exchange, body: unknown): Promise<RequestHookResult | undefined> {
    const { hook, failed } = this.#parts
    if (hook === null) return undefined
    const { method, path, query, sentQuery = query, fields, requestId, identity } = exchange
    const input: Omit<RequestHookInput, 'signal'> = {
      method,
      path,
      query: sentQuery,
      headers: shownFields(fields.kept),
      body,
      requestId,
      consumer: identity?.consumer ?? null,
      // What is remembered of whoever calls is not a hook's to change.
      claims: structuredClone(identity?.claims ?? {}),
    }
    try {
      const limits = { name: hook.name, timeoutMs: this.#options.hookTimeoutMs }
      const made = (await runHook(hook.run, input, limits)) ?? undefined
      takeFields(fields.kept, made?.headers, { side: 'request', hook: hook.name })
      if (made?.body !== undefined) writeBody(exchange, made.body)
      return made
    } catch (cause) {
      const error = hookFailure(cause, hook.name)
      failed({ error, requestId })
      throw error
    }
  }
}

function writeBody(exchange: Exchange, value: unknown): void {
  const bytes = writeJson(value)
  exchange.body = streamOf(bytes)
  exchange.fields.contentLength = String(bytes.length)
  dropDigests(exchange.fields.kept)
}

function refusal({ status, detail }: { status: number; detail: string }): GatewayError {
  const error: GatewayError = new HookRefusal(detail)
  error.statusCode = Number.isInteger(status) && status >= 400 && status <= 599 ? status : 403
  return error
}

/** What its client is told. */
function isRefusal(error: unknown): error is GatewayError {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && (code.startsWith('HR_REQUEST_') || code.startsWith('HR_TRANSFORM_'))
}
