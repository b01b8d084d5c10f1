import fc from 'fast-check'
import { test } from 'tap'
import { type Asked, offline } from './offline.ts'

/**
 * Random answers of an origin, requests and times against a small model, written from RFC 9111, RFC 5861 and RFC 8246: who
 * is asked, and what the client gets.
 */

/** What the origin says of a resource from now on. Seconds; `null`: the directive is absent. */
interface Origin {
  maxAge: number | null
  sMaxage: number | null
  swr: number | null
  sie: number | null
  flags: ('no-cache' | 'no-store' | 'private' | 'must-revalidate' | 'immutable')[]
  tagged: boolean
  /** The same representation as before: what is stored still holds. */
  same: boolean
}

interface Wishes {
  noCache: boolean
  maxAge: number | null
  minFresh: number | null
  maxStale: number | null
  onlyIfCached: boolean
}

type Step =
  | { kind: 'change'; resource: number; origin: Origin }
  | { kind: 'wait'; seconds: number }
  | { kind: 'fail'; how: 'no' | 'error' | 'gone' }
  | { kind: 'get'; resource: number; variant: number; wishes: Wishes }
  | { kind: 'put'; resource: number }
  | { kind: 'purge'; resource: number; mode: 'hard' | 'soft' }

const seconds = fc.integer({ min: 0, max: 20 })
const perhaps = (arbitrary: fc.Arbitrary<number>): fc.Arbitrary<number | null> => fc.option(arbitrary, { freq: 2 })
const resource = fc.integer({ min: 0, max: 1 })

const origin: fc.Arbitrary<Origin> = fc.record({
  maxAge: perhaps(seconds),
  sMaxage: fc.option(seconds, { freq: 1 }),
  swr: perhaps(seconds),
  sie: perhaps(seconds),
  flags: fc.subarray(['no-cache', 'no-store', 'private', 'must-revalidate', 'immutable'] as const, { maxLength: 1 }),
  tagged: fc.boolean(),
  same: fc.boolean(),
})

const wishes: fc.Arbitrary<Wishes> = fc.record({
  noCache: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  maxAge: fc.option(seconds, { freq: 1 }),
  minFresh: fc.option(seconds, { freq: 1 }),
  maxStale: fc.option(seconds, { freq: 1 }),
  onlyIfCached: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

const plain: Wishes = { noCache: false, maxAge: null, minFresh: null, maxStale: null, onlyIfCached: false }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), resource, origin }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      how: fc.constantFrom('no' as const, 'error' as const, 'gone' as const),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('get' as const),
      resource,
      variant: fc.integer({ min: 1, max: 2 }),
      wishes: fc.oneof(fc.constant(plain), wishes),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('put' as const), resource }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      resource,
      mode: fc.constantFrom('hard' as const, 'soft' as const),
    }),
  },
)

/** Resource 1 varies by X-V. */
const varies = (index: number): boolean => index === 1

interface Stored {
  said: Origin
  body: string
  tag: string | undefined
  /** When it was made or validated, in seconds. */
  at: number
  /** A soft purge ended its lifetime. */
  purgedAt: number | undefined
}

interface Expected {
  body: string
  status: number
  /** Requests that the origin gets. */
  asked: number
}

type Profile = 'rfc' | 'secure'

/** The reference. */
class Model {
  time = 0
  failing: 'no' | 'error' | 'gone' = 'no'
  readonly origins: Origin[] = []
  readonly versions = [0, 0]
  readonly #stored = [new Map<string, Stored>(), new Map<string, Stored>()]
  readonly #profile: Profile

  constructor(profile: Profile) {
    this.#profile = profile
  }

  change(index: number, next: Origin): void {
    this.origins[index] = next
    if (!next.same) this.versions[index]!++
  }

  tag(index: number, variant: number): string | undefined {
    return this.origins[index]!.tagged
      ? `"${index}-${this.versions[index]}-${this.#variant(index, variant)}"`
      : undefined
  }

  body(index: number, variant: number): string {
    return `${index} ${this.versions[index]} ${this.#variant(index, variant)}`
  }

  #variant(index: number, variant: number): string {
    return varies(index) ? String(variant) : ''
  }

  put(index: number): void {
    if (this.failing === 'no') this.#stored[index]!.clear()
  }

  purge(index: number, mode: 'hard' | 'soft'): void {
    if (mode === 'hard') this.#stored[index]!.clear()
    else for (const stored of this.#stored[index]!.values()) stored.purgedAt ??= this.time
  }

  get(index: number, variant: number, wishes: Wishes): Expected {
    const stored = this.#stored[index]!.get(this.#variant(index, variant))
    if (stored === undefined) {
      return wishes.onlyIfCached ? { body: '', status: 504, asked: 0 } : this.#fetch(index, variant, wishes, undefined)
    }
    const verdict = this.#reuse(stored, wishes)
    const served = { body: stored.body, status: 200, asked: 0 }
    if (verdict === 'fresh' || verdict === 'stale') return served
    if (verdict === 'refresh') return { ...served, asked: this.#fetch(index, variant, wishes, stored).asked }
    if (wishes.onlyIfCached) return { body: '', status: 504, asked: 0 }
    return this.#fetch(index, variant, wishes, stored)
  }

  /** Until when it is known as not shareable. */
  readonly #passedUntil: number[] = []

  /** RFC 9111 §4.2.1. */
  #lifetime({ sMaxage, maxAge }: Origin): number {
    return sMaxage ?? maxAge ?? 0
  }

  /** Seconds past the lifetime; 0 or more: stale. */
  #staleness({ said, at, purgedAt }: Stored): number {
    const staleAt = at + this.#lifetime(said)
    return this.time - Math.min(staleAt, purgedAt ?? staleAt)
  }

  /** RFC 9111 §4.2.4: s-maxage implies proxy-revalidate. */
  #mustRevalidate({ flags, sMaxage }: Origin): boolean {
    return flags.includes('must-revalidate') || flags.includes('no-cache') || sMaxage !== null
  }

  /** Seconds past the lifetime for which it may be stale; `null` where nothing is said (RFC 5861). */
  #staleFor(said: Origin, seconds: number | null): number | null {
    if (!this.#mustRevalidate(said)) return seconds
    const implied = !said.flags.includes('must-revalidate') && !said.flags.includes('no-cache')
    return implied && this.#profile === 'secure' ? (seconds ?? 0) : 0
  }

  #reuse(stored: Stored, { noCache, maxAge, minFresh, maxStale }: Wishes): 'fresh' | 'stale' | 'refresh' | 'ask' {
    const { said } = stored
    const past = this.#staleness(stored)
    if (noCache || said.flags.includes('no-cache')) return 'ask'
    if (minFresh !== null && -past < minFresh) return 'ask'
    const reload = !(past < 0 && said.flags.includes('immutable'))
    if (maxAge !== null && reload && this.time - stored.at >= maxAge) return 'ask'
    if (past < 0) return 'fresh'
    // RFC 5861 §3; not for those who limit what they take.
    if (maxAge === null && past < (this.#staleFor(said, said.swr) ?? 0)) return 'refresh'
    if (this.#mustRevalidate(said)) return 'ask'
    return maxStale !== null && past <= maxStale ? 'stale' : 'ask'
  }

  #fetch(index: number, variant: number, wishes: Wishes, stored: Stored | undefined): Expected {
    const fallBack = stored !== undefined && this.#usable(stored)
    if (this.failing === 'gone') {
      return fallBack ? { body: stored.body, status: 200, asked: 1 } : { body: '', status: 502, asked: 1 }
    }
    if (this.failing === 'error') {
      return fallBack ? { body: stored.body, status: 200, asked: 1 } : { body: 'error', status: 500, asked: 1 }
    }
    const all = this.#stored[index]!
    const tag = this.tag(index, variant)
    const said = this.origins[index]!
    const body = this.body(index, variant)
    const forbidden = said.flags.includes('no-store') || said.flags.includes('private')
    const held = [...all.values()].some((other) => other.tag === tag)
    const stale = Math.max(this.#staleFor(said, said.swr) ?? 0, this.#staleFor(said, said.sie) ?? 0)
    const useful = !said.flags.includes('no-cache') && Math.max(this.#lifetime(said), stale) > 0
    const name = this.#variant(index, variant)
    const storable = !forbidden && (tag !== undefined || useful)
    if (stored === undefined && this.time < (this.#passedUntil[index] ?? 0)) {
      // What is known as not shareable passes by the store; once it is shareable, the next may be stored.
      if (storable) this.#passedUntil[index] = 0
      return { body, status: 200, asked: 1 }
    }
    this.#passedUntil[index] = storable ? 0 : this.time + 120
    if (!storable) {
      // Shared before, and not shareable now.
      if (stored !== undefined || (tag !== undefined && held)) all.delete(name)
    } else {
      all.set(name, { said, body, tag, at: this.time, purgedAt: undefined })
    }
    return { body, status: 200, asked: 1 }
  }

  /** RFC 9111 §4.2.4, RFC 5861 §4. */
  #usable(stored: Stored): boolean {
    const { said } = stored
    const past = this.#staleness(stored)
    if (said.flags.includes('no-cache')) return false
    if (past < 0) return true
    const sie = this.#staleFor(said, said.sie)
    return sie === null ? this.failing === 'gone' : past < sie
  }
}

function controlOf({ maxAge, sMaxage, swr, sie, flags }: Origin): string {
  const directives: string[] = [...flags]
  if (maxAge !== null) directives.push(`max-age=${maxAge}`)
  if (sMaxage !== null) directives.push(`s-maxage=${sMaxage}`)
  if (swr !== null) directives.push(`stale-while-revalidate=${swr}`)
  if (sie !== null) directives.push(`stale-if-error=${sie}`)
  return directives.join(', ')
}

function wishesOf({ noCache, maxAge, minFresh, maxStale, onlyIfCached }: Wishes): Record<string, string> {
  const directives: string[] = []
  if (noCache) directives.push('no-cache')
  if (maxAge !== null) directives.push(`max-age=${maxAge}`)
  if (minFresh !== null) directives.push(`min-fresh=${minFresh}`)
  if (maxStale !== null) directives.push(`max-stale=${maxStale}`)
  if (onlyIfCached) directives.push('only-if-cached')
  return directives.length === 0 ? {} : { 'Cache-Control': directives.join(', ') }
}

function run(steps: Step[], profile: Profile): void {
  const model = new Model(profile)
  const first: Origin = { maxAge: 5, sMaxage: null, swr: null, sie: null, flags: [], tagged: true, same: true }
  model.change(0, first)
  model.change(1, first)
  const answering = ({ target, get }: Asked) => {
    if (model.failing === 'gone') return undefined
    if (model.failing === 'error') return { status: 500, fields: [], body: 'error' }
    const index = Number(target.slice(1))
    const variant = Number(get('x-v'))
    const tag = model.tag(index, variant)
    const fields = ['cache-control', controlOf(model.origins[index]!)]
    if (varies(index)) fields.push('vary', 'X-V')
    if (tag !== undefined) fields.push('etag', tag)
    const holds = tag !== undefined && get('if-none-match')?.includes(tag) === true
    return holds ? { status: 304, fields } : { status: 200, fields, body: model.body(index, variant) }
  }
  const subject = offline(answering, { policy: { profile } })
  const trace: string[] = []
  for (const taken of steps) {
    trace.push(JSON.stringify(taken))
    switch (taken.kind) {
      case 'change':
        model.change(taken.resource, taken.origin)
        break
      case 'wait':
        model.time += taken.seconds
        subject.pass(taken.seconds)
        break
      case 'fail':
        model.failing = taken.how
        break
      case 'put':
        model.put(taken.resource)
        subject.ask({ method: 'PUT', target: `/${taken.resource}` })
        break
      case 'purge':
        model.purge(taken.resource, taken.mode)
        void subject.cache.purge({ kind: 'url', url: `http://gateway.test/${taken.resource}` }, taken.mode)
        break
      case 'get': {
        subject.asked.length = 0
        const expected = model.get(taken.resource, taken.variant, taken.wishes)
        const fields = { 'X-V': String(taken.variant), ...wishesOf(taken.wishes) }
        const { status, body } = subject.ask({ target: `/${taken.resource}`, fields })
        const got = { body, status, asked: subject.asked.length }
        if (JSON.stringify(got) !== JSON.stringify(expected)) {
          throw new Error(`${JSON.stringify({ got, expected })} after\n${trace.join('\n')}`)
        }
        if (subject.cache.flights !== 0) throw new Error('a flight is left')
      }
    }
  }
  subject.store.close()
}

for (const profile of ['rfc', 'secure'] as const) {
  void test(`it does as a model of the RFCs does, whatever the origin says and clients ask (${profile})`, {
    timeout: 150_000,
  }, (t) => {
    const steps = fc.array(step, { minLength: 5, maxLength: 40 })
    fc.assert(
      fc.property(steps, (list) => run(list, profile)),
      { numRuns: 600 },
    )
    t.pass('all runs agree')
    t.end()
  })
}
