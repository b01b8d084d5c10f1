import { createHmac } from 'node:crypto'
import { cookieOf } from '../../http/cookie.ts'
import type { BalancedRequest } from './balancer.ts'
import type { StickyOptions } from './options.ts'

/** Long enough that two targets never share one. */
const ID_LENGTH = 16
/** What caches that many share may keep must not name one client's target. */
const SHARED = /(?:^|[\s,])(?:public|s-maxage)(?:[\s,=]|$)/i

/** A client's answers name the target that gave them, in a cookie: its next requests go there while it can be had. */
export class Sticky {
  readonly #options: StickyOptions
  readonly #upstream: string

  constructor(upstream: string, options: StickyOptions) {
    this.#upstream = upstream
    this.#options = options
  }

  /** What stands for a target in cookies: the same in every process and after a restart; its address is not to be seen. */
  idOf(url: string): string {
    return createHmac('sha256', this.#options.secret)
      .update(`${this.#upstream} ${url}`)
      .digest('base64url')
      .slice(0, ID_LENGTH)
  }

  /** The id that a request brings. */
  wanted(request: BalancedRequest): string | undefined {
    return cookieOf(request.fields.cookie, this.#options.cookie)
  }

  /**
   * Adds Set-Cookie to an answer where its request came without a cookie, or with another target's.
   *
   * @param fields of the answer, names in lower case: name, value, name, value
   */
  addTo(fields: string[], answer: { request: BalancedRequest; id: string; scheme: 'http' | 'https' }): void {
    if (this.wanted(answer.request) === answer.id || isShared(fields)) return
    const { cookie, maxAgeMs, sameSite } = this.#options
    const age = maxAgeMs === 0 ? '' : `; Max-Age=${Math.round(maxAgeMs / 1000)}`
    const secure = answer.scheme === 'https' ? '; Secure' : ''
    fields.push('set-cookie', `${cookie}=${answer.id}; Path=/${age}; HttpOnly; SameSite=${sameSite}${secure}`)
  }
}

/** Whether caches that many share may keep an answer by its own word. @param fields names in lower case */
export function isShared(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'cache-control' && SHARED.test(fields[i + 1] as string)) return true
  }
  return false
}
