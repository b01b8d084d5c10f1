import { Agent } from 'undici'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Identity } from '../../downstream/identity.ts'
import { ANSWERED } from '../../gate/gate.ts'
import { currentDate } from '../../http/current-date.ts'
import type { GatewayError } from '../../http/problem.ts'
import { fieldOf } from '../../http/request-fields.ts'
import type { KnownConsumer } from '../claims.ts'
import { SEVERAL } from '../credentials.ts'
import { CredentialsAmbiguousError, CredentialsInvalidError } from '../errors.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { Verdicts } from '../verdicts.ts'
import { ask, type ForwardAnswer } from './ask.ts'
import { ForwardAwayError } from './errors.ts'
import type { ForwardOptions } from './options.ts'
import { credentialsOf, type Question, questionOf } from './question.ts'

const RETRY_AFTER_S = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Somebody may call; this goes upstream with the request: name, value, name, value. */
interface Passed {
  identity: Identity
  fields: string[]
}

interface Asked {
  question: Question
  /** Of what is remembered, when it was asked. */
  generation: number
}

export interface ForwardParts {
  /** Epoch, ms. */
  now: () => number
  consumerOf: (name: string) => KnownConsumer | undefined
  /** Told of the first failure in a row. */
  failed: (error: unknown) => void
}

/**
 * Lets another service decide. Its 2xx says who calls; its 401, 403 and redirects are what the client gets. Anything else,
 * and silence, is no decision: 503, unless it is away or broken and the configuration says to go on with the route's next way.
 *
 * A yes is remembered as its Cache-Control says, for requests of which the service was told the same. Requests that ask the
 * same at the same time wait for one answer.
 */
export class ForwardAuthenticator implements Authenticator {
  readonly scheme = 'forward'
  /** The service says it, with its 401. */
  readonly challenge = null
  readonly options: ForwardOptions
  readonly verdicts: Verdicts<Passed>
  /** Questions that were asked, and how many had no answer that decides. */
  asked = 0
  failures = 0
  readonly #parts: ForwardParts
  readonly #agent: Agent
  readonly #underWay = new Map<string, Promise<ForwardAnswer>>()
  #isFailing = false

  constructor(options: ForwardOptions, parts: ForwardParts) {
    this.options = options
    this.#parts = parts
    this.verdicts = new Verdicts(options.cache)
    const { connections, timeoutMs } = options
    this.#agent = new Agent({ connections, connect: { timeout: timeoutMs }, headersTimeout: timeoutMs })
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const question = questionOf(exchange, this.options)
    if (question === SEVERAL) return new CredentialsAmbiguousError()
    const passed = this.verdicts.get(question.digest, this.#parts.now())
    return passed === undefined ? this.#decide(exchange, question) : pass(exchange, passed)
  }

  /** What was decided until now has to be asked for again. */
  forget(): void {
    this.verdicts.forget()
    this.#underWay.clear()
  }

  close(): void {
    void this.#agent.destroy()
  }

  async #decide(exchange: Exchange, question: Question): Promise<Authentication> {
    const { generation } = this.verdicts
    let answer: ForwardAnswer
    try {
      answer = await this.#answerTo(question)
    } catch (error) {
      return this.#failed(error)
    }
    const { status } = answer
    if (status >= 200 && status < 300) return this.#pass(exchange, answer, { question, generation })
    if (status === 401 || status === 403 || REDIRECTS.has(status)) return turnAway(exchange, answer)
    const error = new Error(`status ${status}`)
    // What a client can bring about, by credentials that are malformed or too long, must not let it through as nobody.
    return status >= 500 ? this.#failed(error) : this.#undecided(error)
  }

  async #answerTo(question: Question): Promise<ForwardAnswer> {
    const begun = this.#underWay.get(question.digest)
    if (begun === undefined) return await this.#share(question)
    const answer = await begun
    // A cookie is for one browser: the state of a login that two share would let one into the other's.
    return fieldOf(answer.fields, 'set-cookie') === undefined ? answer : await this.#ask(question)
  }

  #share(question: Question): Promise<ForwardAnswer> {
    const { digest } = question
    const asking = this.#ask(question).finally(() => {
      if (this.#underWay.get(digest) === asking) this.#underWay.delete(digest)
    })
    this.#underWay.set(digest, asking)
    return asking
  }

  #ask({ fields }: Question): Promise<ForwardAnswer> {
    this.asked++
    const { url, timeoutMs } = this.options
    return ask(url, fields, { agent: this.#agent, timeoutMs })
  }

  #pass(exchange: Exchange, answer: ForwardAnswer, { question, generation }: Asked): Authentication {
    this.#isFailing = false
    const identity = this.#identityOf(answer.fields, question)
    if (identity === undefined) return new CredentialsInvalidError()
    const { copy, maxAgeMs } = this.options
    const fields = copy.flatMap((name) => {
      const value = fieldOf(answer.fields, name)
      return value === undefined ? [] : [name, value]
    })
    const passed = { identity, fields }
    const forMs = Math.min(answer.maxAgeMs ?? 0, maxAgeMs)
    if (forMs > 0) this.verdicts.keep(question.digest, { value: passed, until: this.#parts.now() + forMs }, generation)
    return pass(exchange, passed)
  }

  /** Of whom the service does not say who they are, credentials tell them apart. */
  #identityOf(fields: readonly string[], question: Question): Identity | undefined {
    const { name, identity: names, copy } = this.options
    const named = names.consumer === null ? undefined : fieldOf(fields, names.consumer)
    const consumer = named === undefined ? undefined : this.#parts.consumerOf(named)
    if (names.consumer !== null && consumer === undefined) return undefined
    const id = fieldOf(fields, names.caller) ?? ''
    const tier = names.tier === null ? undefined : fieldOf(fields, names.tier)
    return {
      id: consumer?.name ?? `${name}|${id === '' ? credentialsOf(question) : id}`,
      scheme: 'forward',
      consumer: consumer?.name ?? null,
      tier: tier ?? consumer?.tier ?? null,
      groups: [...listOf(fieldOf(fields, names.groups), ','), ...(consumer?.groups ?? [])],
      scopes: [...listOf(fieldOf(fields, names.scopes), ' '), ...(consumer?.scopes ?? [])],
      claims: Object.fromEntries(copy.map((field) => [field, fieldOf(fields, field)])),
      ...(consumer?.priority != null && { priority: consumer.priority }),
    }
  }

  /** It is away, slow, or broken. */
  #failed(error: unknown): GatewayError | undefined {
    const undecided = this.#undecided(error)
    return this.options.onFailure === 'skip' ? undefined : undecided
  }

  #undecided(error: unknown): GatewayError {
    this.failures++
    if (!this.#isFailing) this.#parts.failed(error)
    this.#isFailing = true
    const away: GatewayError = new ForwardAwayError(this.options.name)
    away.fields = ['retry-after', String(RETRY_AFTER_S)]
    return away
  }
}

function pass({ fields: { kept } }: Exchange, { identity, fields }: Passed): Identity {
  for (let i = 0; i < fields.length; i++) kept.push(fields[i] as string)
  return identity
}

/** The client gets what the service has answered. */
function turnAway(exchange: Exchange, { status, fields, body }: ForwardAnswer): typeof ANSWERED {
  const { reply, requestId, method } = exchange
  exchange.status = status
  if (status === 401 || status === 403) {
    exchange.denied = 'access'
    exchange.code = 'HR_ACCESS_FORWARD_REFUSED'
  }
  const own = ['date', currentDate(), 'x-request-id', requestId]
  // It is about one caller, whatever the service says of caches.
  const told = fields.filter((_, index) => !OWN.has(fields[index - (index % 2)] as string))
  reply.head(status, [...told, 'cache-control', 'no-store', ...own], body.length)
  if (method === 'HEAD') reply.end()
  else reply.end(body)
  return ANSWERED
}

const OWN = new Set(['cache-control', 'x-request-id'])

function listOf(text: string | undefined, separator: string): string[] {
  return (text ?? '')
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
