import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'

/** An upstream's answer, before anybody has had any of it. Stages may change what of it they like. */
export interface Answer {
  status: number
  /** Names in lower case: name, value, name, value. */
  fields: string[]
  /** Bytes of the body, `null` where unknown. */
  length: number | null
  /** The whole body, where some stage wanted it and it is not too large. */
  body: Buffer | undefined
  /** Some stage wanted a body that is too large for it: it goes by, or nothing does. */
  tooLarge: boolean
}

/** What stands between an upstream's answer and all who get it: validation, transformation. A route has several, in order. */
export interface ResponseStage {
  /** Largest body that it wants. */
  readonly bodyBytes: number
  /** Whether upstreams are asked for answers without a coding, of which bodies can be read. */
  readonly readsBodies: boolean
  /** Whether it makes others of them: parts of an answer cannot be asked for then. */
  readonly changesBodies: boolean
  /** Whether it wants the body of an answer, whose head is known. */
  wantsBody(answer: Answer, exchange: Exchange): boolean
  /** @returns what the client is told in place of the answer */
  apply(answer: Answer, exchange: Exchange): GatewayError | undefined | Promise<GatewayError | undefined>
}

/** RFC 9110 §15.3.5, §15.4.5, §9.3.2: these end with their head. */
export function hasBody({ status }: Answer, { method }: Exchange): boolean {
  return status !== 204 && status !== 205 && status !== 304 && method !== 'HEAD'
}
