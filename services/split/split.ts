import { cookieOf } from '../http/cookie.ts'
import { type BalancedRequest, type Candidate, Roster } from '../upstream/balance/balancer.ts'
import { highestBid } from '../upstream/balance/consistent-hash.ts'
import { type HashKey, hashKey } from '../upstream/balance/hash-key.ts'
import { hashOf } from '../upstream/balance/hashing.ts'
import { drawByWeight } from '../upstream/balance/least-requests.ts'
import type { SideCounts, SplitReason } from './counters.ts'
import type { SplitOptions } from './options.ts'

/** One side, and what its owner has for it. */
export interface Side<T> {
  readonly name: string
  readonly weight: number
  readonly value: T
  readonly counts: SideCounts
}

/** Which side a request goes to, and why. */
export interface Choice<T> {
  side: Side<T>
  reason: SplitReason
  /** What its client is to be known by from now on; `null`: as it is known already, or not at all. */
  token: string | null
}

interface Drawn<T> extends Side<T>, Candidate {}

/** More than any number of sides needs, and too few to tell one client from all others. */
const TOKENS = 2 ** 24

/**
 * Divides requests among sides: by rules, else by what is known of the client, else by chance.
 *
 * A client is never told its side: what it keeps is a number by chance, and who bids most for that has it (weighted
 * rendezvous hashing). So the cookie gives nothing away, any process reads it alike, also after a restart, routes may share
 * it, and a new share moves those clients alone that it has to: none leaves a side that grows.
 */
export class Split<T> {
  /** Request fields that the choice depends on, as Vary lists them; empty: none, or no matter for caches. */
  readonly vary: string
  readonly #sides: Drawn<T>[]
  /** Those with a share. */
  readonly #roster: Roster<Drawn<T>>
  readonly #rules: { key: HashKey; is: string | null; side: Drawn<T> }[]
  readonly #sticky: HashKey | null
  /** The client gets a cookie where it brings none. */
  readonly #marks: boolean
  readonly #random: () => number

  /** @param random 0…1, without 1 */
  constructor(
    options: SplitOptions,
    sideOf: (name: string) => { value: T; counts: SideCounts },
    random: () => number = Math.random,
  ) {
    this.#sides = options.sides.map(({ name, weight }) => ({
      ...sideOf(name),
      name,
      weight,
      hash: hashOf(name),
      inFlight: 0,
      credit: 0,
    }))
    this.#roster = new Roster(this.#sides.filter(({ weight }) => weight > 0))
    this.#rules = options.rules.map(({ key, is, to }) => ({ key: hashKey(key), is, side: this.#named(to) }))
    this.#sticky = stickyKey(options)
    this.#marks = options.sticky?.by === 'cookie'
    this.#random = random
    this.vary = options.cache === 'shared' ? '' : fieldsOf(options).join(', ')
  }

  get sides(): readonly Side<T>[] {
    return this.#sides
  }

  choose(request: BalancedRequest): Choice<T> {
    const known = this.known(request)
    if (known !== undefined) return known
    if (!this.#marks) return { side: drawByWeight(this.#roster, this.#random), reason: 'share', token: null }
    const token = Math.floor(this.#random() * TOKENS)
      .toString(36)
      .padStart(5, '0')
    return { side: this.#bidFor(token), reason: 'share', token }
  }

  /** What the request itself decides; `undefined` where chance has to. */
  known(request: BalancedRequest): Choice<T> | undefined {
    for (const { key, is, side } of this.#rules) {
      const value = key(request)
      if (value !== undefined && (is === null || value === is)) return { side, reason: 'rule', token: null }
    }
    const text = this.#sticky?.(request)
    if (text === undefined || text === '') return undefined
    return { side: this.#bidFor(text), reason: 'sticky', token: null }
  }

  #bidFor(text: string): Drawn<T> {
    return highestBid(this.#roster, hashOf(text), Number.POSITIVE_INFINITY)
  }

  #named(name: string): Drawn<T> {
    const side = this.#sides.find((one) => one.name === name)
    if (side === undefined) throw new TypeError(`a rule of the split names '${name}', which is no side of it`)
    return side
  }
}

function stickyKey({ sticky }: SplitOptions): HashKey | null {
  if (sticky === null) return null
  if (sticky.by === 'hash') return hashKey(sticky.key)
  return ({ fields }) => cookieOf(fields.cookie, sticky.cookie)
}

/** What the choice depends on, of what Vary can say: an address is no field. */
function fieldsOf({ rules, sticky }: SplitOptions): string[] {
  const keys = rules.map(({ key }) => key)
  if (sticky !== null) keys.push(sticky.by === 'cookie' ? 'cookie:' : sticky.key)
  const names = keys
    .filter((key) => key !== 'client')
    .map((key) => (key.startsWith('cookie:') ? 'cookie' : key.slice('header:'.length).toLowerCase()))
  return [...new Set(names)]
}
