import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonObject, UpstreamSpecification } from './document.ts'
import { SpecificationUnavailableError } from './errors.ts'
import { parseSpecification } from './parse.ts'

/** Largest specification that is read, in bytes. */
const MAX_SPECIFICATION_BYTES = 8 * 1024 * 1024
const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Where an upstream's specification is. */
export interface SpecificationSource {
  upstream: string
  /** A path on the upstream (`/openapi.json`) or a `file:` URL. */
  location: string
  /** Origins of the upstream: a redirect to one of them is followed. */
  targets: readonly string[]
}

export interface UpstreamAnswer {
  status: number
  /** The Location field of a redirect. */
  location?: string | undefined
  body: AsyncIterable<Uint8Array>
}

/** GETs `path` from an upstream, without following redirects. Given up when `signal` aborts. */
export type RequestUpstream = (upstream: string, path: string, signal: AbortSignal) => Promise<UpstreamAnswer>

export interface LoadedSpecification extends UpstreamSpecification {
  /** Equal for equal bytes. */
  digest: string
}

/**
 * Loads and parses a specification.
 *
 * @param known what was loaded before: handed back as it is where the bytes have not changed
 * @throws HR_OPENAPI_UNAVAILABLE, HR_OPENAPI_INVALID, HR_OPENAPI_VERSION_UNSUPPORTED
 */
export async function loadSpecification(
  source: SpecificationSource,
  request: RequestUpstream,
  { signal, known }: { signal: AbortSignal; known?: LoadedSpecification | undefined },
): Promise<LoadedSpecification> {
  const { bytes, base } = await untilAborted(
    source.location.startsWith('file:') ? readFileSource(source) : fetchSource(source, request, signal),
    signal,
  )
  const digest = createHash('sha256').update(bytes).digest('base64url')
  if (known?.digest === digest) return known
  const document = parseSpecification(bytes.toString('utf8'))
  return { upstream: source.upstream, document, base, targets: source.targets, digest }
}

/**
 * Reads and parses the document in a file.
 *
 * @param location a `file:` URL
 * @throws as {@link loadSpecification}
 */
export async function readSpecificationFile(location: string): Promise<JsonObject> {
  const { bytes } = await readFileSource({ location })
  return parseSpecification(bytes.toString('utf8'))
}

async function readFileSource({
  location,
}: Pick<SpecificationSource, 'location'>): Promise<{ bytes: Buffer; base: string }> {
  const file = fileURLToPath(location)
  try {
    return { bytes: await collect(createReadStream(file)), base: '/' }
  } catch (cause) {
    if (cause instanceof SpecificationUnavailableError) throw cause
    throw unavailable(`cannot be read from ${file}: ${reasonOf(cause)}`, cause)
  }
}

async function fetchSource(
  { upstream, location, targets }: SpecificationSource,
  request: RequestUpstream,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; base: string }> {
  let path = location
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await ask(request, upstream, path, signal)
    if ('bytes' in answer) return { bytes: answer.bytes, base: path }
    path = redirected(path, answer.location, targets)
  }
  throw unavailable(`cannot be read: GET ${location} was redirected more than ${MAX_REDIRECTS} times`)
}

async function ask(
  request: RequestUpstream,
  upstream: string,
  path: string,
  signal: AbortSignal,
): Promise<{ bytes: Buffer } | { location: string }> {
  try {
    const { status, location, body } = await request(upstream, path, signal)
    if (status === 200) return { bytes: await collect(body) }
    await discard(body)
    if (REDIRECTS.has(status) && location !== undefined) return { location }
    throw unavailable(`cannot be read: GET ${path} was answered ${status}`)
  } catch (cause) {
    if (cause instanceof SpecificationUnavailableError) throw cause
    throw unavailable(`cannot be read: GET ${path} failed: ${reasonOf(cause)}`, cause)
  }
}

function redirected(path: string, location: string, targets: readonly string[]): string {
  const here = 'http://upstream.invalid'
  if (!URL.canParse(location, here + path)) {
    throw unavailable(`cannot be read: GET ${path} was redirected to '${location}'`)
  }
  const { origin, pathname, search } = new URL(location, here + path)
  if (origin !== here && !targets.includes(origin)) {
    throw unavailable(`cannot be read: GET ${path} was redirected to another origin, ${origin}`)
  }
  return pathname + search
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  // leaving the loop ends the iterator, which destroys the stream behind it
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_SPECIFICATION_BYTES) {
      throw unavailable(`is larger than ${MAX_SPECIFICATION_BYTES / 2 ** 20} MiB, the most that is read`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Ends a body that nobody reads. It has to be begun for that: an iterator that was never asked ends without its stream. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of body) return
}

/** `work`, or its failure as soon as `signal` aborts, whether or not `work` listens to it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(unavailable('cannot be read: no complete answer in time', signal.reason))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function unavailable(message: string, cause?: unknown): Error {
  return new SpecificationUnavailableError(message, { cause })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
