import { fieldValue } from '../cache/rules/message.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import { removeField } from '../http/request-fields.ts'
import { type Answer, hasBody, type ResponseStage } from '../proxy/response-stage.ts'
import { dropDigests, isJson, weakenTag } from './digests.ts'
import { HookError, ResponseBodyError } from './errors.ts'
import { CompiledFields } from './field-changes.ts'
import { hookFailure, type ResponseHook, type ResponseHookResult, runHook } from './hooks.ts'
import { shownFields, takeFields } from './hook-fields.ts'
import type { HookFailure } from './hook-log.ts'
import { CompiledBody, NoJson, readJson, writeJson } from './json-body.ts'
import type { TransformOptions } from './options.ts'

export interface ResponseTransformParts {
  /** Of the route, by their names. */
  parameters: readonly string[]
  hook: { run: ResponseHook; name: string } | null
  /** Told of what a hook has failed on. */
  failed: (told: Pick<HookFailure, 'error' | 'requestId'>) => void
}

/**
 * What becomes of an upstream's answer, before it is stored: its body, its status, its fields, then what a hook makes of it.
 * A body that should be changed and cannot be read is not passed on: what is to be masked in it would be shown.
 */
export class ResponseTransform implements ResponseStage {
  readonly bodyBytes: number
  readonly readsBodies: boolean
  readonly changesBodies: boolean
  readonly #options: TransformOptions
  readonly #parts: ResponseTransformParts
  readonly #fields: CompiledFields | null
  readonly #body: CompiledBody | null
  readonly #statuses: ReadonlyMap<number, number>

  constructor(options: TransformOptions, parts: ResponseTransformParts) {
    const { headers, body, status } = options.response
    this.#options = options
    this.#parts = parts
    this.bodyBytes = options.bodyBytes
    this.#fields = headers === null ? null : new CompiledFields(headers, parts.parameters)
    this.#body = body === null ? null : new CompiledBody(body)
    this.#statuses = new Map(status)
    this.readsBodies = this.changesBodies = body !== null || parts.hook !== null
  }

  wantsBody(answer: Answer, exchange: Exchange): boolean {
    return this.readsBodies && hasBody(answer, exchange) && isJsonAnswer(answer) && unreadable(answer) === undefined
  }

  apply(answer: Answer, exchange: Exchange): GatewayError | undefined | Promise<GatewayError | undefined> {
    let body: unknown
    if (this.readsBodies) {
      const read = this.#read(answer, exchange)
      if (read instanceof ResponseBodyError) return read
      body = read
    }
    const changed = body === undefined ? undefined : (this.#body?.apply(body) ?? body)
    if (changed !== undefined && this.#body !== null) writeBody(answer, changed)
    answer.status = this.#statuses.get(answer.status) ?? answer.status
    this.#fields?.apply(answer.fields, exchange)
    return this.#parts.hook === null ? undefined : this.#run(answer, exchange, changed)
  }

  /** @returns JSON; `undefined` where there is none to read */
  #read(answer: Answer, exchange: Exchange): unknown {
    // A tag of what was transformed is weak wherever it is told: with a 304, which has no type, and to a HEAD.
    if (answer.status === 304) weakenTag(answer.fields)
    if (!isJsonAnswer(answer)) return undefined
    if (!hasBody(answer, exchange)) {
      if (exchange.method === 'HEAD') {
        changedBytes(answer)
        answer.length = null
      }
      return undefined
    }
    const reason = unreadable(answer) ?? (answer.tooLarge ? `is larger than ${this.bodyBytes} bytes` : undefined)
    if (reason !== undefined) return new ResponseBodyError(reason)
    if (answer.body === undefined || answer.body.length === 0) return undefined
    const read = readJson(answer.body)
    return read instanceof NoJson ? new ResponseBodyError(read.reason) : read.value
  }

  async #run(answer: Answer, exchange: Exchange, body: unknown): Promise<GatewayError | undefined> {
    const { run, name } = this.#parts.hook as NonNullable<ResponseTransformParts['hook']>
    const { method, path } = exchange
    const { status, fields } = answer
    try {
      const input = { method, path, status, headers: shownFields(fields), body }
      const made = (await runHook(run, input, { name, timeoutMs: this.#options.hookTimeoutMs })) ?? undefined
      takeFields(fields, made?.headers, { side: 'response', hook: name })
      this.#take(answer, made, exchange)
      return undefined
    } catch (cause) {
      const error = hookFailure(cause, name)
      this.#parts.failed({ error, requestId: exchange.requestId })
      return error
    }
  }

  #take(answer: Answer, made: ResponseHookResult | undefined, exchange: Exchange): void {
    if (made?.status !== undefined) {
      if (!isStatus(made.status))
        throw new HookError(this.#parts.hook?.name, { cause: new TypeError('no such status') })
      answer.status = made.status
    }
    // Where the body goes by as it comes, another cannot take its place.
    if (made?.body === undefined || !hasBody(answer, exchange)) return
    if (answer.body === undefined) {
      throw new HookError(this.#parts.hook?.name, { cause: new TypeError('a body that is no JSON cannot be replaced') })
    }
    writeBody(answer, made.body)
  }
}

const isStatus = (status: number): boolean =>
  Number.isInteger(status) && status >= 200 && status <= 599 && ![204, 205, 206, 304].includes(status)

function isJsonAnswer({ fields }: Answer): boolean {
  return isJson(fieldValue(fields, 'content-type'))
}

/** Why the body of an answer that says it is JSON cannot be looked at, by its head. */
function unreadable({ status, fields }: Answer): string | undefined {
  if (status === 206) return 'is a part'
  const coding = fieldValue(fields, 'content-encoding')
  return coding === undefined || coding.toLowerCase() === 'identity' ? undefined : 'is compressed'
}

function writeBody(answer: Answer, value: unknown): void {
  answer.body = writeJson(value)
  changedBytes(answer)
}

function changedBytes({ fields }: Answer): void {
  dropDigests(fields)
  removeField(fields, 'accept-ranges')
  weakenTag(fields)
}
