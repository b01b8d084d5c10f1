import { pipeline, Readable, type Transform } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { codeNow, createCoder } from '../services/compression/coders.ts'
import type { CompressionOptions } from '../services/compression/options.ts'
import { type CompressionInput, compressionFrom } from '../services/compression/plugin-options.ts'
import { type CompressionPolicy, compileCompression } from '../services/compression/policy.ts'
import { eligibilityOf, forbidsTransforming } from '../services/compression/rules/eligibility.ts'
import { codedFields, notModified, strengthened, varied } from '../services/compression/rules/fields.ts'
import type { Coding } from '../services/compression/rules/negotiation.ts'
import { NOW_BYTES } from '../services/compression/stored-forms.ts'
import { mediaTypeOf } from '../services/http/media-type.ts'

/**
 * Compresses what routes of the scope answer, registered after it: @fastify/compress, with the gateway's own rules around
 * it (docs/compression.md). It decides which coding there is, whether an answer may have one, and what its fields become:
 * `Vary` always, weak tags, HEAD, 204, 206, 304 and no-transform right, pieces of streams sent as they come (these go past
 * it, see below), request bodies left alone.
 *
 * It shares `reply.compress()`, which goes past these rules. Proxied routes are compressed by the lane, not here.
 */
export type CompressionPluginOptions = CompressionInput & {
  /** The same as the configuration has it, in place of all others. */
  resolved?: CompressionOptions
}

type Outcome = 'coded' | 'varying' | 'not modified' | 'fixed'

async function compression(fastify: FastifyInstance, { resolved, ...input }: CompressionPluginOptions): Promise<void> {
  const policy = compileCompression(resolved ?? compressionFrom(input))
  const outcomes = new WeakMap<FastifyRequest, Outcome>()
  const settings = settingsOf(policy)

  // Before the hook of @fastify/compress: what it goes by.
  fastify.addHook('onRoute', (route) => {
    if (!isCompressed(route)) {
      route.compress = false
      return
    }
    if (typeof route.compress === 'object') route.compress = { ...settings, ...route.compress }
    route.onRequest = [strengthen, ...[route.onRequest ?? []].flat()]
    route.onSend = [...[route.onSend ?? []].flat(), decide]
  })
  await fastify.register(import('@fastify/compress'), { ...settings, globalDecompression: false })
  // After it: what it leaves out.
  fastify.addHook('onRoute', (route) => {
    if (isCompressed(route)) route.onSend = [...[route.onSend ?? []].flat(), complete]
  })

  async function decide(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const { headers } = request
    const accepted = headers['accept-encoding']
    const { coding, isRequired } = policy.choose(Array.isArray(accepted) ? accepted.join(', ') : accepted)
    const eligibility = eligibilityOf(
      {
        method: request.method,
        hasRange: headers.range !== undefined,
        isFixed: forbidsTransforming(headers['cache-control']),
        status: reply.statusCode,
        traits: {
          type: mediaTypeOf(String(reply.getHeader('content-type') ?? '')),
          coding: textOf(reply, 'content-encoding')?.replace('identity', '') || null,
          isFixed: forbidsTransforming(textOf(reply, 'cache-control')),
        },
        length: lengthOf(reply, payload),
      },
      policy,
    )
    const isCoded = coding !== null && (eligibility === 'codable' || (eligibility === 'small' && isRequired))
    if (isCoded) headers['accept-encoding'] = coding
    else headers['x-no-compression'] = '1'
    const other = reply.statusCode === 304 && eligibility !== 'fixed' ? 'not modified' : 'varying'
    outcomes.set(request, isCoded ? 'coded' : eligibility === 'fixed' ? 'fixed' : other)
    return isCoded && payload instanceof Readable ? coded(reply, payload, coding) : payload
  }

  /** A stream. It would wait for ten bytes there, and for nobody who reads it slowly. */
  function coded(reply: FastifyReply, source: Readable, coding: Coding): Transform {
    const coder = createCoder(coding, policy.levels[coding], lengthOf(reply, source))
    reply.header('content-encoding', coding).removeHeader('content-length')
    return pipeline(source, coder, (error) => {
      if (error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') reply.log.error({ err: error }, 'a stream broke off')
    })
  }

  async function complete(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const outcome = outcomes.get(request)
    if (outcome === undefined || outcome === 'fixed') return payload
    const before = describingFields(reply)
    const coding = reply.getHeader('content-encoding') as Coding | undefined
    const after =
      outcome === 'coded' && coding !== undefined
        ? codedFields(before, coding)
        : outcome === 'not modified'
          ? notModified(before, request.headers['if-none-match'])
          : varied(before)
    for (const name of DESCRIBING) reply.removeHeader(name)
    for (let i = 0; i < after.length; i += 2) reply.header(after[i] as string, after[i + 1])
    return payload
  }
}

/** A route that says `compress: false`, or leads to an upstream, is left as it is. */
function isCompressed({ compress: own, config }: RouteOptions): boolean {
  return own !== false && config?.proxied !== true
}

/** Whether something is coded is decided before; how, is the gateway's own. */
function settingsOf({ levels }: CompressionPolicy) {
  return {
    customTypes: () => true,
    threshold: 0,
    syncThreshold: NOW_BYTES,
    encodings: ['zstd', 'br', 'gzip', 'identity'] as ('zstd' | 'br' | 'gzip' | 'identity')[],
    zlib: {
      // Without a length: what is written comes out at once, which its own do not do.
      createZstdCompress: () => createCoder('zstd', levels.zstd, null),
      createBrotliCompress: () => createCoder('br', levels.br, null),
      createGzip: () => createCoder('gzip', levels.gzip, null),
      zstdCompressSync: (bytes: Uint8Array) => codeNow(bytes, 'zstd', levels.zstd),
      brotliCompressSync: (bytes: Uint8Array) => codeNow(bytes, 'br', levels.br),
      gzipSync: (bytes: Uint8Array) => codeNow(bytes, 'gzip', levels.gzip),
    },
  }
}

/** Fields that a coding changes; `content-length` is @fastify/compress's. */
const DESCRIBING = ['etag', 'vary', 'accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest']

function describingFields(reply: FastifyReply): string[] {
  return DESCRIBING.flatMap((name) => {
    const value = textOf(reply, name)
    // Its own entry would stand beside the gateway's.
    return value === undefined ? [] : [name, value]
  })
}

function textOf(reply: FastifyReply, name: string): string | undefined {
  const value = reply.getHeader(name)
  return value === undefined ? undefined : Array.isArray(value) ? value.join(', ') : String(value)
}

function lengthOf(reply: FastifyReply, payload: unknown): number | null {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  if (payload instanceof Uint8Array) return payload.byteLength
  if (payload === null || payload === undefined) return 0
  const length = reply.getHeader('content-length')
  return length === undefined ? null : Number(length)
}

/** What its client knows of an earlier answer by a weak tag, the route knows by the strong one. */
async function strengthen(request: FastifyRequest): Promise<void> {
  const { headers } = request
  if (headers['if-match']?.includes('W/') === true) headers['if-match'] = strengthened(headers['if-match'])
}

export default fp(compression, { name: 'headrace-compression', fastify: '5.x' })
