import fc from 'fast-check'
import { test } from 'tap'
import type { Selector } from '../../../../services/cache/store/selector.ts'
import { MemoryStore } from '../../../../services/cache/store/memory.ts'
import { storedResponse } from './stored-response.ts'

/**
 * The store against a list: after any sequence of operations it holds what the list holds, less what it says that it has
 * evicted, and all its indexes and sums agree.
 */

interface Known {
  key: string
  vary: readonly string[]
  tags: readonly string[]
  body: string
  stale: boolean
  usableUntil: number
}

const KEYS = ['GET https://a/1', 'GET https://a/1\nx', 'Fhttps://a/12', 'https://b/1?q', 'plain', 'http://a/1']
const key = fc.constantFrom(...KEYS)
const vary = fc.constantFrom([], ['accept', 'a'], ['accept', 'b'], ['accept', 'a', 'cookie', 'c'])
const tags = fc.subarray(['t1', 't2', 't3'])
const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ kind: fc.constant('key' as const), key }),
  fc.record({ kind: fc.constant('url' as const), url: fc.constantFrom('https://a/1', 'https://b/1?q', 'plain') }),
  fc.record({ kind: fc.constant('prefix' as const), prefix: fc.constantFrom('https://a/', 'https://', 'pl', '') }),
  fc.record({ kind: fc.constant('pattern' as const), pattern: fc.constantFrom('*/1', 'http*://a/*', '*', 'plain') }),
  fc.record({ kind: fc.constant('tag' as const), tag: fc.constantFrom('t1', 't2', 't4') }),
  fc.constant({ kind: 'all' as const }),
)
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      vary,
      tags,
      body: fc.string({ unit: 'grapheme-ascii', maxLength: 3000 }),
      usable: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('touch' as const), key }) },
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('deleteEntry' as const), key }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('purge' as const),
      selector,
      mode: fc.constantFrom('hard' as const, 'soft' as const),
    }),
  },
  fc.record({ do: fc.constant('sweep' as const) }),
)

/** What a key's URL is, said another way than the store does. */
const urlOf = (name: string): string => /https?:\/\/[^\n]*/.exec(name)?.[0] ?? (name.split('\n')[0] as string)

function covered(given: Selector, { key: name, tags: own }: Known): boolean {
  switch (given.kind) {
    case 'all':
      return true
    case 'key':
      return name === given.key
    case 'url':
      return urlOf(name) === given.url
    case 'prefix':
      return urlOf(name).slice(0, given.prefix.length) === given.prefix
    case 'pattern':
      return new RegExp(`^${given.pattern.replace(/[.?]/g, '\\$&').replaceAll('*', '.*')}$`).test(urlOf(name))
    case 'tag':
      return own.includes(given.tag)
  }
}

const idOf = (name: string, varied: readonly string[]): string => JSON.stringify([name, varied])

for (const { name, limits, exact } of [
  { name: 'with room for all', limits: { maxEntries: 1_000, maxBytes: 2 ** 30, maxVariants: 10 }, exact: true },
  { name: 'with little room', limits: { maxEntries: 5, maxBytes: 9_000, maxVariants: 2 }, exact: false },
]) {
  void test(`any sequence of operations leaves what a list would hold, ${name}`, async (t) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        let now = 10_000
        let received = 0
        let known: Known[] = []
        const store = new MemoryStore({ ...limits, now: () => now })
        try {
          for (const given of operations) {
            const entries = 'key' in given ? (store.get(given.key)?.entries ?? []) : []
            switch (given.do) {
              case 'put': {
                const { key: at, vary: varied, tags: own, body } = given
                const usableUntil = now + given.usable * 1_000
                const response = storedResponse({ vary: varied, tags: own, body, receivedAt: ++received })
                const entry = store.put(at, response, { bornAt: 0, freshUntil: usableUntil, usableUntil })
                known = known.filter((other) => idOf(other.key, other.vary) !== idOf(at, varied))
                if (entry !== undefined)
                  known.unshift({ key: at, vary: varied, tags: own, body, stale: false, usableUntil })
                break
              }
              case 'touch':
                entries.forEach((entry) => store.touch(entry))
                break
              case 'delete':
                store.delete(given.key)
                known = known.filter((other) => other.key !== given.key)
                break
              case 'deleteEntry': {
                const entry = entries.at(-1)
                if (entry === undefined) break
                store.deleteEntry(entry)
                known = known.filter((other) => idOf(other.key, other.vary) !== idOf(entry.key, entry.stored.vary))
                break
              }
              case 'purge':
                store.invalidate(given.selector, given.mode)
                if (given.mode === 'hard') known = known.filter((other) => !covered(given.selector, other))
                else for (const other of known) other.stale ||= covered(given.selector, other)
                break
              case 'sweep':
                now += 2_000
                store.sweep()
                known = known.filter(({ usableUntil }) => usableUntil > now)
            }
            known = check(store, known, exact)
          }
        } finally {
          store.close()
        }
      }),
      { numRuns: 300 },
    )
    t.pass()
  })
}

/** @returns what the store still holds */
function check(store: MemoryStore, known: Known[], exact: boolean): Known[] {
  const { entries, keys, bytes, maxBytes, maxEntries } = store.stats()
  if (entries > maxEntries || bytes > maxBytes) throw new Error('too much')
  const held = KEYS.flatMap((name) => store.get(name)?.entries ?? [])
  if (held.length !== entries) throw new Error(`${held.length} found, ${entries} counted`)
  if (held.reduce((sum, entry) => sum + entry.bytes, 0) !== bytes) throw new Error('bytes miscounted')
  if (KEYS.filter((name) => store.get(name) !== undefined).length !== keys) throw new Error('keys miscounted')
  const ids = new Set(held.map((entry) => idOf(entry.key, entry.stored.vary)))
  const left = known.filter((other) => ids.has(idOf(other.key, other.vary)))
  if (left.length !== held.length) throw new Error('it holds what it should not')
  if (exact && left.length !== known.length) throw new Error('something is lost')
  for (const name of KEYS) {
    const resource = store.get(name)
    if (resource === undefined) continue
    const shown = resource.entries.map(({ stored, invalidated }) => [
      stored.vary,
      stored.tags,
      stored.body,
      invalidated,
    ])
    const wanted = left
      .filter((other) => other.key === name)
      .map((other) => [other.vary, other.tags, other.body, other.stale])
    if (JSON.stringify(shown) !== JSON.stringify(wanted))
      throw new Error(`${name}: ${JSON.stringify({ shown, wanted })}`)
    if (!store.byUrl(urlOf(name)).includes(resource)) throw new Error('missing among URLs')
  }
  for (const tag of ['t1', 't2', 't3']) {
    const wanted = left.filter((other) => other.tags.includes(tag)).length
    if (store.byTag(tag).length !== wanted) throw new Error(`tag ${tag} miscounted`)
  }
  return left
}
