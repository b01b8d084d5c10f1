import { requestFieldValue } from '../cache/rules/message.ts'
import { decompress } from '../compression/requests/decompress.ts'
import type { DecompressOptions } from '../compression/requests/options.ts'
import { readContent } from '../downstream/content.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Gate, Verdict } from '../gate/gate.ts'
import type { GatewayError } from '../http/problem.ts'
import { onlyField } from '../http/request-fields.ts'
import { NoOperation } from '../openapi/found-operations.ts'
import { NoDocument } from '../openapi/served-documents.ts'
import { RequestCodedError, RequestInvalidError, RequestTooLargeError, UndocumentedError } from './errors.ts'
import { Findings } from './finding.ts'
import type { OperationRules } from './operation-rules.ts'
import { rawOf } from './raw.ts'
import { unavailable } from './unavailable.ts'
import type { RouteValidation } from './route-validation.ts'

/**
 * Whether a request is as the document of its route says. What has no body of JSON, and no form, is judged at once; a body
 * is read first, up to a bound. In `log` nothing is refused.
 */
export class ValidationGate implements Gate {
  readonly step = 'validation'
  readonly description: string
  readonly #validation: RouteValidation
  readonly #decompress: DecompressOptions | null
  readonly #limitBytes: number

  /** @param parts `limitBytes`: what a body of the route may have at all */
  constructor(validation: RouteValidation, parts: { decompress: DecompressOptions | null; limitBytes: number }) {
    const { requests, bodyBytes } = validation.options
    this.#validation = validation
    this.#decompress = parts.decompress
    this.#limitBytes = parts.limitBytes
    this.description = `as the document of ${validation.upstream} says (${requests}), bodies of at most ${bodyBytes} bytes`
  }

  check(exchange: Exchange): Verdict | Promise<Verdict> {
    const rules = this.#validation.find(exchange)
    if (rules !== undefined) return this.#judge(exchange, rules)
    if (this.#enforces) return this.#soon(exchange)
    // Nobody waits for what refuses nothing.
    this.#validation.counts.request.unknown++
    return undefined
  }

  get #enforces(): boolean {
    return this.#validation.options.requests === 'enforce'
  }

  async #soon(exchange: Exchange): Promise<Verdict> {
    const rules = await this.#validation.findSoon(exchange)
    if (!(rules instanceof NoDocument)) return this.#judge(exchange, rules)
    this.#validation.counts.request.unknown++
    return unavailable(rules)
  }

  #judge(exchange: Exchange, rules: OperationRules | NoOperation): Verdict | Promise<Verdict> {
    const { counts, options } = this.#validation
    if (rules instanceof NoOperation) {
      counts.request.unknown++
      if (!this.#enforces || options.undocumented === 'pass' || isPreflight(exchange, rules)) return undefined
      return undocumented(exchange, rules)
    }
    const contentType = onlyField(exchange.fields.kept, 'content-type')
    const raw = rawOf(exchange, this.#validation.pathOf(exchange), rules)
    const findings = new Findings()
    rules.checkHead(raw, { contentType, hasBody: exchange.body !== null, findings })
    if (exchange.body === null) return this.#decide(rules, findings)
    if (!rules.wantsBody(contentType)) {
      if (!findings.isEmpty || !rules.leavesUnread(contentType)) return this.#decide(rules, findings)
      counts.request.unread++
      return undefined
    }
    // Refused by its head, it has a body that its client need not send.
    if (this.#enforces && !findings.isEmpty && exchange.fields.expect !== undefined)
      return this.#decide(rules, findings)
    return this.#withBody(exchange, { rules, contentType, findings })
  }

  async #withBody(
    exchange: Exchange,
    { rules, contentType, findings }: { rules: OperationRules; contentType: string | undefined; findings: Findings },
  ): Promise<Verdict> {
    const refusal = this.#plain(exchange)
    if (refusal !== undefined) return this.#unread(exchange, rules, { findings, refusal })
    const { bodyBytes } = this.#validation.options
    const { contentLength } = exchange.fields
    const isKnownLarge = contentLength !== undefined && Number(contentLength) > bodyBytes
    let body: Buffer | undefined
    try {
      const limits = { mostBytes: bodyBytes, limitBytes: this.#limitBytes }
      body = isKnownLarge ? undefined : await readContent(exchange, limits)
    } catch (error) {
      if (isRefusal(error)) return error
      throw error
    }
    if (body === undefined) {
      return this.#unread(exchange, rules, { findings, refusal: new RequestTooLargeError(bodyBytes) })
    }
    rules.checkBody(contentType, body, findings)
    return this.#decide(rules, findings)
  }

  /** Undoes the coding of a body, where its route has it so. @returns why its bytes cannot be read */
  #plain(exchange: Exchange): GatewayError | undefined {
    if (this.#decompress !== null) return decompress(exchange, this.#decompress, this.#limitBytes)
    const coding = requestFieldValue(exchange.fields.kept, 'content-encoding')
    return coding === undefined || coding.toLowerCase() === 'identity' ? undefined : new RequestCodedError()
  }

  #unread(
    exchange: Exchange,
    rules: OperationRules,
    { findings, refusal }: { findings: Findings; refusal: GatewayError },
  ): Verdict {
    this.#validation.counts.request.unread++
    this.#note(rules, findings)
    if (!this.#enforces) return undefined
    // Nobody reads what the client still sends.
    exchange.reply.closing = true
    return refusal
  }

  #decide(rules: OperationRules, findings: Findings): Verdict {
    const { request } = this.#validation.counts
    if (findings.isEmpty) {
      request.valid++
      return undefined
    }
    this.#note(rules, findings)
    if (!this.#enforces) {
      request.noted++
      return undefined
    }
    request.refused++
    const error: GatewayError = new RequestInvalidError(rules.name)
    error.problem = { type: 'about:blank', members: membersOf(findings) }
    return error
  }

  #note({ name }: OperationRules, { list }: Findings): void {
    const { record, upstream } = this.#validation
    record.note({ side: 'request', upstream, operation: name, status: 0 }, list)
  }
}

/** RFC 9457 §3.2. */
function membersOf({ list, truncated }: Findings): Record<string, unknown> {
  return truncated ? { errors: list, errorsTruncated: true } : { errors: list }
}

/**
 * A browser's question (https://fetch.spec.whatwg.org/#cors-preflight-request) about a path that is documented: no document
 * has an operation for it.
 */
function isPreflight({ method, fields }: Exchange, { methods }: NoOperation): boolean {
  if (method !== 'OPTIONS' || methods.length === 0) return false
  return ['origin', 'access-control-request-method'].every((name) => requestFieldValue(fields.kept, name) !== undefined)
}

function undocumented(exchange: Exchange, { methods }: NoOperation): GatewayError {
  const error: GatewayError = new UndocumentedError(
    methods.length === 0 ? 'none of its paths fits' : `the path has ${methods.join(', ')}`,
  )
  if (methods.length > 0) {
    error.statusCode = 405
    error.fields = ['allow', methods.join(', ')]
  }
  exchange.reply.closing ||= exchange.body !== null
  return error
}

/** The request's own body has failed: it is too large, or not what its head says. */
function isRefusal(error: unknown): error is GatewayError {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('HR_REQUEST_')
}
