import type { Static } from 'typebox'
import { bytes, OneOf, Size } from '../options/schema.ts'
import { defaultsOf } from '../options/settled.ts'
import { Type } from '../options/type.ts'
import { type Coding, CODINGS } from './rules/negotiation.ts'

/** Text, as most of it is called. What is compressed already (images, video, archives, fonts in WOFF) gains nothing. */
const TYPES = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/x-ndjson',
  'application/javascript',
  'application/xml',
  'application/*+xml',
  'application/yaml',
  'application/graphql',
  'application/wasm',
  'image/svg+xml',
  'font/ttf',
  'font/otf',
]

const Types = (options: { default?: string[] }) =>
  Type.Array(
    Type.String({ pattern: '^[^\\s/;,]+/[^\\s/;,]+$', expects: "a media type such as 'text/*' or 'application/json'" }),
    { ...options, maxItems: 64, description: "Content-Types that are compressed; a * stands for any text: 'text/*'" },
  )

const Codings = (options: { default?: Coding[] }) =>
  Type.Array(OneOf(CODINGS, { description: 'A coding' }), {
    ...options,
    minItems: 1,
    maxItems: CODINGS.length,
    description: 'What clients may get; of what one likes equally well, the first',
  })

const THRESHOLD = 'Smaller answers are sent as they are, where their length is known beforehand'
const TRANSCODE = 'Code anew what the upstream has coded, where the client prefers or only accepts another coding'

const LEVELS = {
  zstd: { minimum: 1, maximum: 19, description: 'Level of zstd' },
  br: { minimum: 0, maximum: 11, description: 'Quality of Brotli' },
  gzip: { minimum: 1, maximum: 9, description: 'Level of gzip' },
} as const

const Levels = (defaults: Record<Coding, number>, description: string) =>
  Type.Object(
    {
      zstd: Type.Integer({ ...LEVELS.zstd, default: defaults.zstd }),
      br: Type.Integer({ ...LEVELS.br, default: defaults.br }),
      gzip: Type.Integer({ ...LEVELS.gzip, default: defaults.gzip }),
    },
    { additionalProperties: false, default: {}, description },
  )

/** `compression` at the top of the configuration; `true` is `{}`. */
export const compressionSchema = Type.Object(
  {
    codings: Codings({ default: [...CODINGS] }),
    threshold: Size({ default: '1KiB', description: THRESHOLD }),
    types: Types({ default: TYPES }),
    levels: Levels({ zstd: 3, br: 4, gzip: 1 }, 'How hard answers are compressed on their way'),
    transcode: Type.Boolean({ default: false, description: TRANSCODE }),
    stored: Type.Object(
      {
        levels: Levels({ zstd: 19, br: 11, gzip: 9 }, 'How hard: in a worker thread, once for each answer and coding'),
        maxBytes: Size({
          default: '2MiB',
          description: 'Larger answers keep what was made at the level of answers on their way; 0B: all do',
        }),
      },
      { additionalProperties: false, default: {}, description: 'What the cache keeps compressed' },
    ),
  },
  { additionalProperties: false, description: 'How answers are compressed' },
)

/** `compression` of a route, over the gateway's own; `true` is `{}`. */
export const routeCompressionSchema = Type.Object(
  {
    codings: Type.Optional(Codings({})),
    threshold: Type.Optional(Size({ description: THRESHOLD })),
    types: Type.Optional(Types({})),
    transcode: Type.Optional(Type.Boolean({ description: TRANSCODE })),
  },
  { additionalProperties: false, description: 'How answers of this route are compressed' },
)

export type Levels = Record<Coding, number>

export interface CompressionOptions {
  codings: readonly Coding[]
  thresholdBytes: number
  types: readonly string[]
  levels: Levels
  transcode: boolean
  stored: { levels: Levels; maxBytes: number }
}

/** What all routes share. */
export interface SharedCompression extends CompressionOptions {
  /** Also for routes that say nothing of it. */
  isOn: boolean
}

/** What a route says besides; `false`: nothing of it is compressed; `null`: as all do. */
export type RouteCompression = Partial<
  Pick<CompressionOptions, 'codings' | 'thresholdBytes' | 'types' | 'transcode'>
> | null

export function resolveCompression(given: Static<typeof compressionSchema> | boolean): SharedCompression {
  const isOn = given !== false
  const input = typeof given === 'boolean' ? defaultsOf(compressionSchema) : given
  const { codings, threshold, types, levels, transcode, stored } = input
  return {
    isOn,
    codings,
    thresholdBytes: bytes(threshold),
    types,
    levels,
    transcode,
    stored: { levels: stored.levels, maxBytes: bytes(stored.maxBytes) },
  }
}

export function resolveRouteCompression(
  given: Static<typeof routeCompressionSchema> | boolean | undefined,
): RouteCompression | false {
  if (given === undefined) return null
  if (typeof given === 'boolean') return given ? {} : false
  const { threshold, ...same } = given
  return { ...same, ...(threshold !== undefined && { thresholdBytes: bytes(threshold) }) }
}

/** How the answers of a route are compressed; `null`: not at all. */
export function compressionOf(route: RouteCompression | false, shared: SharedCompression): CompressionOptions | null {
  if (route === false || (route === null && !shared.isOn)) return null
  const { isOn: _, ...options } = shared
  return { ...options, ...route }
}
