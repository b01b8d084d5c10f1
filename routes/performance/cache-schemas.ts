import type { TSchema } from 'typebox'
import { Type } from '../../services/options/type.ts'

/** Shapes of the cache's routes. */

export const URL_DESCRIPTION =
  'As clients send it; a path alone stands for every scheme and host. Host and escapes may be written in any way'

const orNull = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })

const counts = {
  hits: Type.Integer({ description: 'Answered from the store, fresh' }),
  stale: Type.Integer({ description: 'Answered from the store, stale: while refreshed, or because the origin failed' }),
  revalidated: Type.Integer({ description: 'Answered from the store after the origin said that it still holds' }),
  misses: Type.Integer({ description: 'Nothing usable was stored' }),
  collapsed: Type.Integer({ description: 'Answered by what another request brought' }),
  passes: Type.Integer({
    description: 'Sent to the origin by itself: a method, a body or a resource that is not shared',
  }),
  stores: Type.Integer({ description: 'Responses put into the store' }),
  hitRatio: orNull(Type.Number(), 'Share of what was looked up that the store answered at once; null before the first'),
}

export const countsSchema = Type.Object(counts)

export const memorySchema = Type.Object({
  entries: Type.Integer({ description: 'Stored responses, variants counting' }),
  keys: Type.Integer(),
  tags: Type.Integer(),
  bytes: Type.Integer({ description: 'Memory that they take, overhead included' }),
  maxEntries: Type.Integer(),
  maxBytes: Type.Integer(),
  insertions: Type.Integer(),
  replacements: Type.Integer({ description: 'Stored in place of the same variant' }),
  rejections: Type.Integer({ description: 'Larger than the whole store' }),
  evictions: Type.Integer({ description: 'Dropped for room' }),
  expirations: Type.Integer({ description: 'Dropped because their time was up' }),
  purged: Type.Integer({ description: 'Dropped by hard purges and invalidations' }),
  invalidated: Type.Integer({ description: 'Marked by soft ones' }),
})

export const tierSchema = Type.Object({
  name: Type.Union([Type.Literal('disk'), Type.Literal('redis')]),
  state: Type.Union([Type.Literal('up'), Type.Literal('away')], {
    description: 'away: for any process; the gateway serves without it, and asks now and then how it does',
  }),
  reason: orNull(Type.String(), 'Why it is away, or is read and stores nothing'),
  reads: Type.Integer({ description: 'Look-ups; what is neither a hit nor a failure is a miss' }),
  hits: Type.Integer(),
  failures: Type.Integer({ description: 'Reads that failed or came too late' }),
  skipped: Type.Integer({ description: 'Not asked: it was away, or too many waited for it' }),
  broken: Type.Integer({ description: 'Stored responses that could not be read' }),
  writes: Type.Integer(),
  dropped: Type.Integer({
    description: 'Writes that were given up: queue or disk full, tier away, or purged meanwhile',
  }),
  queued: Type.Integer({ description: 'Waiting to be written' }),
  purging: Type.Integer({ description: 'Purges that it has not taken yet; they hold meanwhile' }),
  entries: orNull(Type.Integer(), 'Stored now; null for Redis, which is not asked'),
  bytes: orNull(Type.Integer(), 'Stored now; null for Redis, which is not asked'),
  memory: orNull(
    Type.Object({
      usedBytes: Type.Integer(),
      maxBytes: orNull(Type.Integer(), 'maxmemory; null without a limit'),
      evictedKeys: Type.Integer({ description: 'Dropped for room since its start' }),
    }),
    'What Redis said of its memory last, for whatever it is used; a cluster added up. null: a file, or away',
  ),
  bus: orNull(
    Type.Object({
      state: Type.Union([Type.Literal('following'), Type.Literal('away')], {
        description: 'following: nothing is known to be missing, for any process',
      }),
      received: Type.Integer({ description: 'Purges of other processes and machines' }),
      recovered: Type.Integer({ description: 'Of these, from the log: their message was lost' }),
      gaps: Type.Integer({ description: 'Times that some may have been missed, the first connection among them' }),
    }),
    "How purges of other machines are heard of; null for a file, which is this machine's",
  ),
})

export const topKeySchema = Type.Object({
  name: Type.String({ description: "First 16 digits of the key's SHA-256, as /cache/entry has it" }),
  hits: Type.Integer(),
  bytes: Type.Integer(),
  variants: Type.Integer(),
})

const names = Type.Unsafe<readonly string[]>(Type.Array(Type.String()))
const words = Type.Object({ lookup: names, store: names, send: names }, { description: 'The policy in words' })

const policySchema = Type.Object(
  {
    profile: Type.Union([Type.Literal('secure'), Type.Literal('rfc')]),
    ttl: orNull(Type.Number(), 'Where the origin gives none'),
    respectOrigin: Type.Boolean(),
    staleWhileRevalidate: orNull(Type.Number(), 'Where the origin gives none'),
    staleIfError: orNull(Type.Number(), 'Where the origin gives none'),
    statuses: orNull(Type.Array(Type.Integer()), 'Those that may be stored; null for those of the RFC'),
    negativeTtl: orNull(Type.Number(), 'Of 404, 405, 410, 414 and 501'),
    maxEntryBytes: Type.Integer(),
    tags: names,
    invalidates: names,
    clientDirectives: Type.Union([Type.Literal('honour'), Type.Literal('ignore')]),
    post: Type.Boolean({ description: 'POST answers are stored for GET' }),
    queries: Type.Boolean({ description: 'QUERY answers are stored' }),
    guard: Type.Boolean(),
    varyBy: Type.Object({ headers: names, cookies: names }),
    query: Type.Object({ ignore: names, sort: Type.Boolean() }),
    send: Type.Object(
      {
        cacheControl: orNull(Type.String(), "In place of the origin's"),
        cdnCacheControl: orNull(Type.String(), "In place of the origin's"),
        tags: Type.Union([
          Type.Literal('origin'),
          Type.Literal('none'),
          Type.Literal('surrogate-key'),
          Type.Literal('cache-tag'),
        ]),
      },
      { description: 'What clients are told' },
    ),
    details: Type.Boolean({ description: 'Cache-Status has the key, and why an answer is not stored' }),
    languages: orNull(names, 'Those that Accept-Language is brought to; null for as sent'),
    words,
  },
  { description: 'What the configuration makes of `cache`; times in seconds' },
)

export const variantSchema = Type.Object({
  pid: Type.Integer({ description: 'The process that holds it' }),
  url: Type.String(),
  name: Type.String({ description: "First 16 digits of the key's SHA-256" }),
  route: orNull(Type.String(), 'The route it was stored for; null where its policy has changed since'),
  varyBy: Type.Array(Type.String(), { description: 'Fields and cookies that belong to the key' }),
  status: Type.Integer(),
  state: Type.Union([Type.Literal('fresh'), Type.Literal('stale')]),
  invalidated: Type.Boolean({ description: 'A soft purge came over it' }),
  age: Type.Integer({ description: 'Seconds' }),
  ttl: orNull(Type.Integer(), 'Seconds it is still fresh, negative once stale; null where each use is validated'),
  freshness: orNull(
    Type.Object({
      source: Type.String({ description: 'targeted, s-maxage, max-age, expires, negative, ttl, heuristic or none' }),
      lifetime: Type.Number({ description: 'Seconds' }),
    }),
    'Where its lifetime comes from; null where the policy has changed since',
  ),
  staleWhileRevalidateUntil: orNull(Type.String(), 'Served stale while refreshed until then'),
  staleIfErrorUntil: orNull(Type.String(), 'Served stale while the origin fails until then'),
  storedAt: Type.String(),
  tags: names,
  vary: Type.Record(Type.String(), orNull(Type.String(), 'Normalised; null where the request had no such field'), {
    description: 'The request fields that choose this variant',
  }),
  bytes: Type.Integer({ description: 'Memory that it takes' }),
  bodyBytes: Type.Integer(),
  hits: Type.Integer(),
  fields: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
  hidden: Type.Array(Type.String(), { description: 'Stored fields that are not shown' }),
})

export const routeSchema = Type.Object({ route: Type.String(), ...counts, policy: policySchema })
