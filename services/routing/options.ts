import type { Static } from 'typebox'
import { accessOfRouteSchema, resolveRouteAccess, type RouteAccessOptions } from '../access/route/options.ts'
import { type AnswerOptions, answerSchema, resolveAnswer } from '../answer/options.ts'
import { resolveRouteCache, type RouteCacheOptions, routeCacheSchema } from '../cache/options.ts'
import { type DecompressOptions, decompressSchema, resolveDecompress } from '../compression/requests/options.ts'
import { resolveRouteCompression, type RouteCompression, routeCompressionSchema } from '../compression/options.ts'
import { type CorsOptions, corsSchema, resolveCors } from '../cors/options.ts'
import { type LimitUse, resolveRouteLimit, routeLimitSchema } from '../limit/options.ts'
import { type MirrorOptions, mirrorSchema, resolveMirror } from '../mirror/options.ts'
import { type MockOptions, mockSchema, resolveMock } from '../mock/options.ts'
import type { Priority } from '../downstream/priority.ts'
import { OneOf } from '../options/schema.ts'
import { Type } from '../options/type.ts'
import { type RequestLimits, requestSchema, resolveRequest } from '../request/options.ts'
import {
  resolveSecurityHeaders,
  type SecurityHeadersOptions,
  securityHeadersSchema,
} from '../security-headers/options.ts'
import { routePrioritySchema } from '../pressure/options.ts'
import { mainSide, resolveSplit, type SplitOptions, splitSchema } from '../split/options.ts'
import { resolveTransform, type TransformOptions, transformSchema } from '../transform/options.ts'
import { resolveValidate, type ValidateOptions, validateSchema } from '../validation/options.ts'
import { resolveWebSocket, type WebSocketOptions, webSocketSchema } from '../websocket/options.ts'
import {
  type HedgeOptions,
  hedgeSchema,
  resolveHedge,
  resolveRetry,
  resolveRouteTimeout,
  type RetryOptions,
  retrySchema,
  type RouteTimeoutOptions,
  routeTimeoutSchema,
} from '../upstream/retry/options.ts'

/** One route as people write it; its key in `routes` is `[METHODS ][host]/path`. */
export const routeSchema = Type.Object(
  {
    to: Type.Optional(
      Type.Union([Type.String({ description: 'Name of the upstream' }), splitSchema], {
        description: 'Name of the upstream, or several, each for a share of the requests',
      }),
    ),
    answer: Type.Optional(answerSchema),
    mock: mockSchema,
    stripPrefix: Type.Boolean({
      default: false,
      description: "Send the path without the part before the pattern's first parameter or wildcard",
    }),
    rewrite: Type.Optional(
      Type.String({
        pattern: '^/',
        expects: "a path such as '/v2/*'",
        description: "Path sent instead: '/api/vehicles/:id', '/v2/*'; parameters of the pattern may be used",
      }),
    ),
    encodedSlash: OneOf(['opaque', 'refuse'], {
      default: 'opaque',
      description: '%2F in a path: sent as it is and no separator, or refused with 400',
    }),
    access: Type.Optional(accessOfRouteSchema),
    cache: Type.Union([routeCacheSchema, Type.Boolean()], {
      default: false,
      description: "Cache answers: true for the origin's rules alone, or how",
    }),
    timeout: Type.Optional(routeTimeoutSchema),
    retry: Type.Optional(
      Type.Union([retrySchema, Type.Literal(false)], { description: "Instead of the upstream's; false: none" }),
    ),
    hedge: Type.Optional(
      Type.Union([hedgeSchema, Type.Literal(false)], { description: "Instead of the upstream's; false: none" }),
    ),
    mirror: Type.Optional(mirrorSchema),
    maintenance: Type.Boolean({
      default: false,
      description:
        'Answered 503 from the start; while the gateway runs, `headrace maintenance on KEY` and `off KEY` say it',
    }),
    rateLimit: Type.Optional(routeLimitSchema),
    priority: Type.Optional(routePrioritySchema),
    websocket: Type.Union([webSocketSchema, Type.Boolean()], {
      default: true,
      description: 'Pass WebSocket connections through: true for pages of the same host, false for none, or how',
    }),
    compression: Type.Optional(
      Type.Union([routeCompressionSchema, Type.Boolean()], {
        description: "Compress answers: over the gateway's own `compression`; false: never",
      }),
    ),
    decompress: Type.Optional(
      Type.Union([decompressSchema, Type.Boolean()], {
        description: 'Send request bodies on without their Content-Encoding: true, or within which bounds',
      }),
    ),
    cors: Type.Optional(
      Type.Union([corsSchema, Type.Boolean()], {
        description:
          'What pages of other origins may do: true for reading from anywhere, or how; without it, as the upstream says',
      }),
    ),
    securityHeaders: Type.Optional(
      Type.Union([securityHeadersSchema, Type.Boolean()], {
        description: "Fields that tell browsers what to forbid: true for helmet's; without it, as the upstream says",
      }),
    ),
    request: Type.Optional(requestSchema),
    transform: Type.Optional(transformSchema),
    validate: Type.Optional(
      Type.Union([validateSchema, Type.Boolean()], {
        description:
          "Validate against the upstream's OpenAPI document: true refuses requests and notes answers, or how",
      }),
    ),
    docs: Type.Boolean({ default: true, description: "Show the upstream's operations of this route in /docs" }),
  },
  { additionalProperties: false, examples: [{ to: 'orders' }], description: 'Where matching requests go' },
)

export type RouteInput = Static<typeof routeSchema>

export interface RouteOptions {
  /** The key as written: `'GET /vehicles/:id'`. */
  key: string
  /** The upstream; of a split, the side with the largest share; `null` where the gateway answers by itself. */
  to: string | null
  /** `null`: all requests go to the one upstream. */
  split: SplitOptions | null
  /** In place of an upstream. */
  answer: AnswerOptions | null
  /** In place of an upstream too, which may be named all the same: its document is what is answered from. */
  mock: MockOptions | null
  stripPrefix: boolean
  rewrite: string | null
  encodedSlash: 'opaque' | 'refuse'
  /** `null`: whoever likes may call. */
  access: RouteAccessOptions | null
  /** `null`: every request goes to the upstream. */
  cache: RouteCacheOptions | null
  /** What is not in it is as the upstream's. */
  timeout: RouteTimeoutOptions
  /** `null`: as the upstream's. */
  retry: RetryOptions | false | null
  hedge: HedgeOptions | false | null
  /** `null`: no request is copied. */
  mirror: MirrorOptions | null
  /** What is served first where not everything can be. */
  priority: Priority
  /** In maintenance from the start. */
  maintenance: boolean
  /** All have to let a request pass; `null`: none, not even those of tiers. */
  rateLimit: LimitUse[] | null
  /** `null`: upgrades are refused. */
  websocket: WebSocketOptions | null
  /** `false`: never; `null`: as all do. */
  compression: RouteCompression | false
  /** `null`: request bodies go on as they come. */
  decompress: DecompressOptions | null
  /** `null`: what upstreams say of it goes on as it is. */
  cors: CorsOptions | null
  securityHeaders: SecurityHeadersOptions | null
  /** `null`: whatever the gateway takes. */
  request: RequestLimits | null
  /** `null`: neither requests nor answers are compared with any document. */
  validate: ValidateOptions | null
  /** `null`: requests and answers go on as they come. */
  transform: TransformOptions | null
  docs: boolean
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveRoute(
  key: string,
  input: RouteInput,
  toPath: (path: string) => string = (path) => path,
): RouteOptions {
  const to = resolveTo(input.to)
  return {
    key,
    to: to.name,
    split: to.split,
    answer: input.answer === undefined ? null : resolveAnswer(input.answer, toPath),
    mock: resolveMock(input.mock, toPath),
    stripPrefix: input.stripPrefix,
    rewrite: input.rewrite ?? null,
    encodedSlash: input.encodedSlash,
    access: resolveRouteAccess(input.access),
    cache: input.cache === false ? null : resolveRouteCache(input.cache),
    timeout: resolveRouteTimeout(input.timeout ?? {}),
    retry: input.retry === undefined ? null : input.retry && resolveRetry(input.retry),
    hedge: input.hedge === undefined ? null : input.hedge && resolveHedge(input.hedge),
    mirror: input.mirror ? resolveMirror(input.mirror) : null,
    maintenance: input.maintenance,
    rateLimit: resolveRouteLimit(input.rateLimit),
    priority: input.priority ?? 'normal',
    websocket: resolveWebSocket(input.websocket),
    compression: resolveRouteCompression(input.compression),
    decompress: resolveDecompress(input.decompress ?? false),
    cors: resolveCors(input.cors ?? false),
    securityHeaders: resolveSecurityHeaders(input.securityHeaders ?? false),
    request: resolveRequest(input.request),
    transform: resolveTransform(input.transform, toPath),
    validate: resolveValidate(input.validate ?? false, toPath),
    docs: input.docs,
  }
}

function resolveTo(to: RouteInput['to']): { name: string | null; split: SplitOptions | null } {
  if (to === undefined || typeof to === 'string') return { name: to ?? null, split: null }
  const split = resolveSplit(to)
  return { name: mainSide(split.sides), split }
}
