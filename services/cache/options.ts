import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, OneOf, Size } from '../options/schema.ts'
import { defaultsOf } from '../options/settled.ts'
import { Type } from '../options/type.ts'
import { formatDuration, parseDuration } from '../options/units.ts'
import { type DiskOptions, diskSchema, resolveDisk } from './store/disk-options.ts'
import { type RedisCacheOptions, redisCacheSchema, resolveRedisCache } from './store/redis-options.ts'
import { resolveSend, sendSchema, type SendOptions } from './send-options.ts'
import { MOST_WARM_TARGETS, type WarmTarget } from './warm-target.ts'

const PROFILES = ['secure', 'rfc'] as const

const Statuses = (description: string) =>
  Type.Optional(Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), { description }))

const Name = Type.String({ pattern: '.', expects: 'a name' })

const Names = (options: { description: string; default?: string[]; examples?: string[] }) =>
  Type.Array(Name, { maxItems: 64, default: [], ...options })

/** What `cache` on a route may say; `true` is `{}`. */
export const routeCacheSchema = Type.Object(
  {
    profile: Type.Optional(OneOf(PROFILES, { description: 'Overrides `cache.profile` for this route' })),
    ttl: Type.Optional(
      Type.String({
        unit: 'duration',
        pattern: '^(short|long|[0-9]+(\\.[0-9]+)?(ms|s|m|h|d))$',
        expects: "'short' (5 minutes), 'long' (1 hour) or a duration such as '30s'",
        description: "Lifetime where the origin gives none: 'short' (5 minutes), 'long' (1 hour) or a duration",
      }),
    ),
    respectOrigin: Type.Boolean({
      default: true,
      description: "false: `ttl` wins over the origin's lifetime (never over no-store, private and Authorization)",
    }),
    staleWhileRevalidate: Type.Optional(
      Duration({ description: 'Answer stale for so long while one refresh runs, where the origin says nothing of it' }),
    ),
    staleIfError: Type.Optional(
      Duration({ description: 'Answer stale for so long while the origin fails, where it says nothing of it' }),
    ),
    statuses: Statuses('Statuses that may be stored; without it those that RFC 9111 allows'),
    negativeTtl: Type.Optional(
      Duration({
        description: 'Lifetime of 404, 405, 410, 414 and 501, and of errors in `statuses`, where the origin gives none',
      }),
    ),
    maxEntryBytes: Type.Optional(Size({ description: 'Larger answers are passed on and not stored' })),
    tags: Names({ description: 'Tags of every entry of this route, by which it is purged' }),
    invalidates: Names({ description: 'Tags that a successful POST, PUT, PATCH or DELETE of this route purges' }),
    clientDirectives: OneOf(['honour', 'ignore'], {
      default: 'honour',
      description: "What a client's Cache-Control and Pragma may do: force a revalidation, or nothing",
    }),
    methods: Type.Array(OneOf(['QUERY', 'POST'], { description: 'A method' }), {
      default: ['QUERY'],
      description:
        'Stored besides GET: QUERY by its content; POST where its answer names its own URI as Content-Location',
    }),
    guard: Type.Boolean({
      default: false,
      description: "Don't store what a path's extension and the Content-Type disagree on (web cache deception)",
    }),
    varyBy: Type.Object(
      {
        headers: Names({ description: 'Request fields whose values belong to the key' }),
        cookies: Names({ description: 'Cookies whose values belong to the key' }),
        consumer: Type.Boolean({
          default: false,
          description: "On routes whose `access` is public: the consumer's name belongs to the key",
        }),
        claims: Names({
          description:
            'On routes whose `access` is public: claims of the caller, by name, whose values belong to the key',
        }),
      },
      {
        additionalProperties: false,
        default: {},
        description: 'What belongs to the key besides scheme, host, path and query',
      },
    ),
    ignoreQuery: Names({
      description: "Query parameters left out of the key; a * at the end stands for any rest: 'utm_*'",
      examples: ['utm_*', 'fbclid'],
    }),
    sortQuery: Type.Boolean({ default: false, description: 'The order of query parameters makes no difference' }),
    send: sendSchema,
    details: Type.Boolean({
      default: false,
      description: 'Cache-Status has the key, and why an answer is not stored: for finding out, not for everybody',
    }),
    // No default: a list without anything in it would make all languages one.
    languages: Type.Optional(
      Type.Array(Name, {
        minItems: 1,
        maxItems: 64,
        description: 'Languages that the origin answers in: Accept-Language is brought to one of these',
      }),
    ),
  },
  { additionalProperties: false, description: 'How answers of this route are cached' },
)

/** Longer ones no client sends. */
const WARM_URL = { pattern: '^(/|https?://).{0,8000}$', expects: "a path such as '/vehicles' or a whole URL" }

/** `cache` at the top of the configuration: what all routes share. */
export const cacheSchema = Type.Object(
  {
    profile: OneOf(PROFILES, {
      default: 'secure',
      description: 'rfc: RFC 9111 by the letter; secure: less what has leaked data in practice (docs/caching.md)',
    }),
    memory: Type.Object(
      {
        enabled: Type.Boolean({
          default: true,
          description: 'Keep entries in memory (ENABLE_MEMORY_CACHE); without it hits come from the second tier',
        }),
        entries: Type.Integer({ default: 2000, minimum: 1, description: 'Entries a process' }),
        bytes: Size({ default: '256MiB', description: 'Memory a process, bodies and overhead' }),
        variants: Type.Integer({ default: 50, minimum: 1, description: 'Entries under one URL (Vary)' }),
      },
      { additionalProperties: false, default: {}, description: 'The first tier: memory of the process' },
    ),
    disk: diskSchema,
    redis: redisCacheSchema,
    maxEntryBytes: Size({ default: '8MiB', description: 'Larger answers are passed on and not stored' }),
    early: Type.Boolean({
      default: false,
      description:
        'Answer fresh hits in memory over HTTP/1.1 ahead of `node:http`, at two thirds of the cost (docs/caching.md, "Early hits")',
    }),
    warm: Type.Array(
      Type.Union([
        Type.String(WARM_URL),
        Type.Object(
          {
            url: Type.String({ ...WARM_URL, description: 'As in the list' }),
            headers: Type.Record(Name, Type.String(), {
              default: {},
              description: 'Request fields, such as Accept-Language where answers differ by it',
            }),
          },
          { additionalProperties: false },
        ),
      ]),
      {
        default: [],
        maxItems: MOST_WARM_TARGETS,
        description:
          "URLs that each process asks for when it starts, and on POST /performance/cache/warm; a path alone is asked at the first listener's port on localhost, and warm for that host alone",
        examples: [['https://api.example.com/vehicles']],
      },
    ),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'The shared HTTP cache; routes use it with their own `cache`',
  },
)

export type RouteCacheInput = Static<typeof routeCacheSchema>
export type CacheInput = Static<typeof cacheSchema>

/** A route's cache options: plain data, times in seconds. */
export interface RouteCacheOptions {
  profile: 'secure' | 'rfc' | null
  ttl: number | null
  respectOrigin: boolean
  staleWhileRevalidate: number | null
  staleIfError: number | null
  statuses: number[] | null
  negativeTtl: number | null
  maxEntryBytes: number | null
  tags: string[]
  invalidates: string[]
  clientDirectives: 'honour' | 'ignore'
  methods: ('QUERY' | 'POST')[]
  guard: boolean
  varyBy: { headers: string[]; cookies: string[]; consumer: boolean; claims: string[] }
  query: { ignore: string[]; sort: boolean }
  send: SendOptions
  details: boolean
  languages: string[] | null
}

export interface CacheOptions {
  profile: 'secure' | 'rfc'
  memory: { enabled: boolean; entries: number; bytes: number; variants: number }
  disk: DiskOptions
  redis: RedisCacheOptions
  maxEntryBytes: number
  /** Hits are answered ahead of node:http. */
  early: boolean
  warm: WarmTarget[]
}

const NAMED_SECONDS: Readonly<Record<string, number>> = { short: 300, long: 3600 }

/** @param given what is written; `true` is an object without anything in it */
export function resolveRouteCache(given: RouteCacheInput | true): RouteCacheOptions {
  const input = given === true ? defaultsOf(routeCacheSchema) : given
  return {
    profile: input.profile ?? null,
    ttl: input.ttl === undefined ? null : (NAMED_SECONDS[input.ttl] ?? (parseDuration(input.ttl) ?? Number.NaN) / 1000),
    respectOrigin: input.respectOrigin,
    staleWhileRevalidate: seconds(input.staleWhileRevalidate),
    staleIfError: seconds(input.staleIfError),
    statuses: input.statuses ?? null,
    negativeTtl: seconds(input.negativeTtl),
    maxEntryBytes: input.maxEntryBytes === undefined ? null : bytes(input.maxEntryBytes),
    tags: input.tags,
    invalidates: input.invalidates,
    clientDirectives: input.clientDirectives,
    methods: input.methods,
    guard: input.guard,
    varyBy: {
      headers: input.varyBy.headers.map((name) => name.toLowerCase()).toSorted(),
      cookies: input.varyBy.cookies.toSorted(),
      consumer: input.varyBy.consumer,
      claims: input.varyBy.claims.toSorted(),
    },
    query: { ignore: input.ignoreQuery, sort: input.sortQuery },
    send: resolveSend(input.send),
    details: input.details,
    languages: input.languages ?? null,
  }
}

/** A route's `cache` as people would write it out: defaults, named durations and what it shares with the others. */
export function effectiveRouteCache(given: RouteCacheInput | boolean, shared: CacheInput): RouteCacheInput | false {
  if (given === false) return false
  const input = given === true ? defaultsOf(routeCacheSchema) : given
  const { ttl } = input
  const named = ttl === undefined ? undefined : NAMED_SECONDS[ttl]
  return {
    profile: shared.profile,
    maxEntryBytes: shared.maxEntryBytes,
    ...input,
    ...(named !== undefined && { ttl: formatDuration(named * 1000) }),
  }
}

/** @param where where files are: see {@link resolveDisk} */
export function resolveCache(input: CacheInput, where: Parameters<typeof resolveDisk>[1]): CacheOptions {
  const { enabled, entries, variants } = input.memory
  return {
    profile: input.profile,
    memory: { enabled, entries, variants, bytes: bytes(input.memory.bytes) },
    disk: resolveDisk(input.disk, where),
    redis: resolveRedisCache(input.redis),
    maxEntryBytes: bytes(input.maxEntryBytes),
    early: input.early,
    warm: input.warm.map((target) => (typeof target === 'string' ? { url: target, headers: {} } : target)),
  }
}

function seconds(duration: string | undefined): number | null {
  return duration === undefined ? null : milliseconds(duration) / 1000
}
