import { fieldValue } from '../cache/rules/message.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import { NoOperation } from '../openapi/found-operations.ts'
import { NoDocument } from '../openapi/served-documents.ts'
import { type Answer, hasBody, type ResponseStage } from '../proxy/response-stage.ts'
import { ResponseInvalidError } from './errors.ts'
import { Findings } from './finding.ts'
import type { OperationRules } from './operation-rules.ts'
import type { RouteValidation } from './route-validation.ts'
import { unavailable } from './unavailable.ts'

/**
 * Whether an upstream's answer is as its document says: what differs is noted for the drift report, and, where it is
 * enforced, nothing of it gets to a client or into a store. It is asked once an answer of the upstream: hits of the cache
 * cost nothing.
 *
 * Not judged: a 304 and a 206, which are about an answer that was given before, and a status of 500 or more that the
 * document does not name is noted only.
 */
export class ResponseValidation implements ResponseStage {
  readonly bodyBytes: number
  readonly readsBodies = true
  readonly changesBodies = false
  readonly #validation: RouteValidation

  constructor(validation: RouteValidation) {
    this.#validation = validation
    this.bodyBytes = validation.options.bodyBytes
  }

  wantsBody(answer: Answer, exchange: Exchange): boolean {
    if (!isJudged(answer) || !hasBody(answer, exchange) || isCoded(answer)) return false
    const rules = this.#validation.find(exchange)
    // What it is compared with may come while it is read.
    if (rules === undefined) return this.#enforces
    if (rules instanceof NoOperation) return false
    const response = rules.response(answer.status)
    return response?.body.wantsBody(fieldValue(answer.fields, 'content-type')) ?? false
  }

  apply(answer: Answer, exchange: Exchange): GatewayError | undefined | Promise<GatewayError | undefined> {
    if (!isJudged(answer)) return undefined
    const rules = this.#validation.find(exchange)
    if (rules !== undefined) return this.#judge(answer, exchange, rules)
    if (this.#enforces) return this.#soon(answer, exchange)
    this.#validation.counts.response.unknown++
    return undefined
  }

  get #enforces(): boolean {
    return this.#validation.options.responses === 'enforce'
  }

  async #soon(answer: Answer, exchange: Exchange): Promise<GatewayError | undefined> {
    const rules = await this.#validation.findSoon(exchange)
    if (!(rules instanceof NoDocument)) return this.#judge(answer, exchange, rules)
    this.#validation.counts.response.unknown++
    return unavailable(rules)
  }

  #judge(answer: Answer, exchange: Exchange, rules: OperationRules | NoOperation): GatewayError | undefined {
    const { counts } = this.#validation
    if (rules instanceof NoOperation) {
      counts.response.unknown++
      return undefined
    }
    const findings = findingsOf(answer, exchange, rules)
    const isUnread = findings.isEmpty && isUnreadable(answer, exchange, rules)
    if (isUnread) counts.response.unread++
    if (findings.isEmpty && !isUnread) {
      counts.response.valid++
      return undefined
    }
    this.#note(answer, rules, findings)
    const isMild = findings.list[0]?.in === 'status' && answer.status >= 500
    if (!this.#enforces || isMild) {
      if (!findings.isEmpty) counts.response.noted++
      return undefined
    }
    counts.response.refused++
    return new ResponseInvalidError(rules.name)
  }

  #note({ status }: Answer, { name }: OperationRules, { list }: Findings): void {
    const { record, upstream } = this.#validation
    record.note({ side: 'response', upstream, operation: name, status }, list)
  }
}

function isJudged({ status }: Answer): boolean {
  return status !== 304 && status !== 206
}

function isCoded({ fields }: Answer): boolean {
  const coding = fieldValue(fields, 'content-encoding')
  return coding !== undefined && coding.toLowerCase() !== 'identity'
}

/** The document says what is in it, and it cannot be looked at. */
function isUnreadable(answer: Answer, exchange: Exchange, rules: OperationRules): boolean {
  if (answer.body !== undefined || !hasBody(answer, exchange)) return false
  const body = rules.response(answer.status)?.body
  return body?.wantsBody(fieldValue(answer.fields, 'content-type')) === true && (answer.tooLarge || isCoded(answer))
}

function findingsOf(answer: Answer, exchange: Exchange, rules: OperationRules): Findings {
  const findings = new Findings()
  const { status, fields, body } = answer
  const response = rules.response(status)
  if (response === undefined) {
    findings.add('status', '', `${status} is not declared`)
    return findings
  }
  const contentType = fieldValue(fields, 'content-type')
  const isEmpty = answer.length === 0 || body?.length === 0
  response.checkHead(fields, findings)
  if (hasBody(answer, exchange) && !isEmpty) response.checkType(contentType, findings)
  if (body !== undefined && response.body.wantsBody(contentType)) response.body.check(contentType, body, findings)
  return findings
}
