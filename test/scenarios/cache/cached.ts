import type { Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { Access } from '../../../services/access/access.ts'
import { PassMemory } from '../../../services/cache/pass-memory.ts'
import type { ResponseCache } from '../../../services/cache/response-cache.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { PurgeLog } from '../../../services/cache/store/purge-log.ts'
import type { Tier } from '../../../services/cache/store/tier.ts'
import type { Recode } from '../../../services/compression/recoder.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { createLane } from '../../../services/lane/create-lane.ts'
import { createDrainState } from '../../../services/listener/drain.ts'
import { createListener } from '../../../services/listener/listener.ts'
import { Upstreams } from '../../../services/upstream/upstreams.ts'
import { writeCertificate } from '../../certificate.ts'
import { type Client, connectClient, type Protocol } from '../../client.ts'
import type { ClientResponse } from '../../incoming.ts'
import { TIMEOUTS } from '../../helper.ts'
import { connectRaw, type RawConnection } from '../../raw-client.ts'
import { Milestones } from '../../signal.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import { type Play, type Script, startUpstream, type Upstream, type UpstreamOptions } from '../../upstream-server.ts'
import type { Field } from '../../wire.ts'

/** A lane with one cached route before one scripted upstream, on real sockets, whose clock and stores a test holds. */
export interface Cached {
  cache: ResponseCache
  store: MemoryStore
  passes: PassMemory
  purges: PurgeLog
  upstream: Upstream
  /** Where its certificate is. */
  root: string
  /** Moves the cache's clock, which else stands still. */
  pass(seconds: number): void
  now(): number
  /** Exchanges that are over, in order. */
  finished: Exchange[]
  /** Resolves once so many exchanges are over. */
  over(count: number): Promise<void>
  client(protocol?: Protocol): Promise<Client>
  raw(): Promise<RawConnection>
  /** A GET over a connection of its own. */
  get(path: string, fields?: Field[]): Promise<ClientResponse>
  /** Any request over a connection of its own. */
  ask(method: string, path: string, options?: { fields?: Field[]; body?: string }): Promise<ClientResponse>
}

export interface CachedOptions {
  /** `cache` of the route. */
  cache?: Record<string, unknown>
  /** The rest of the route. */
  route?: Record<string, unknown>
  /** Further routes to the same upstream. */
  routes?: Record<string, Record<string, unknown>>
  /** The rest of the configuration. */
  config?: Record<string, unknown>
  to?: Record<string, unknown>
  upstream?: UpstreamOptions
  store?: { maxEntries?: number; maxBytes?: number }
  /** Behind the memory. */
  tier?: (now: () => number) => Tier
  /** Compresses what is stored, elsewhere. */
  recode?: Recode
  /** Told of what the gateway itself fails on; without it that fails the test. */
  broke?: (error: unknown) => void
}

export async function cachedBefore(t: Test, script: Script, options: CachedOptions = {}): Promise<Cached> {
  // A whole second, so that Date says it exactly.
  let time = Math.floor(Date.now() / 1000) * 1000
  const now = (): number => time
  const pass = (seconds: number): void => void (time += seconds * 1000)
  const dated = Array.isArray(script) ? script.map((play) => withDate(play, now)) : withDate(script, now)
  const upstream = await startUpstream(t, dated, options.upstream)
  return await cachedWith(t, { upstream, root: t.testdir(), now, pass }, options)
}

/** Another process before the same upstream, with the same clock. What they share is in `options.tier`. */
export function cachedBeside(t: Test, other: Cached, options: CachedOptions = {}): Promise<Cached> {
  return cachedWith(t, other, options)
}

async function cachedWith(
  t: Test,
  { upstream, root, now, pass }: Pick<Cached, 'upstream' | 'root' | 'now' | 'pass'>,
  options: CachedOptions,
): Promise<Cached> {
  const certificate = await writeCertificate(root)
  const config = resolveConfig(
    {
      listen: [
        { port: 0, h2c: true },
        { port: 0, tls: certificate },
      ],
      log: { level: 'silent' },
      upstreams: { origin: { targets: [upstream.origin], timeout: TIMEOUTS, ...options.to } },
      routes: { '/*': { to: 'origin', cache: { ...options.cache }, ...options.route }, ...options.routes },
      ...options.config,
    },
    { root },
  )
  const store = new MemoryStore({ now, ...options.store })
  const passes = new PassMemory()
  const purges = new PurgeLog()
  const finished: Exchange[] = []
  const ends = new Milestones()
  const upstreams = new Upstreams(config.upstreams)
  const log = { info: () => undefined, error: () => undefined }
  const access = new Access(config.access, config.routes, { log, now })
  const lane = createLane({
    ...config,
    gates: access.makers,
    reserved: access.reserved,
    upstreams,
    traffic: null,
    own: { find: () => undefined },
    ownGuard: () => '',
    finished: [
      (exchange) => {
        finished.push(exchange)
        ends.advance()
      },
    ],
    ...(options.recode && { recode: options.recode }),
    tier: options.tier?.(now) ?? null,
    cacheParts: { store, passes, now, purges },
    internalErrors: { record: options.broke ?? ((error) => t.fail('the gateway itself has failed', { error })) },
  })
  const handlers = {
    head: lane.head.bind(lane),
    request: lane.request.bind(lane),
    stream: lane.stream.bind(lane),
    fallback: () => t.fail('the lane declined a request'),
    broke: lane.brokeOff.bind(lane),
  }
  const context = { limits: config.limits, handlers, dataDir: config.dataDir, drain: createDrainState() }
  const listeners = config.listen.map((listener) => createListener(listener, context))
  t.teardown(async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await upstreams.close()
    store.close()
  })
  const [cleartext, tls] = await Promise.all(listeners.map((listener) => listener.listen()))
  const ports = { cleartext: cleartext?.port ?? 0, tls: tls?.port ?? 0 }
  const client = (protocol: Protocol = 'h1'): Promise<Client> => connectClient(t, ports, protocol)
  const ask: Cached['ask'] = async (method, path, { fields = [], body } = {}) =>
    (await client()).request({ method, path, fields, ...(body === undefined ? {} : { body }) })
  return {
    cache: lane.cache,
    store,
    passes,
    purges,
    upstream,
    root,
    finished,
    now,
    pass,
    client,
    ask,
    over: (count) => ends.wait(count),
    raw: () => connectRaw(t, { port: ports.cleartext }),
    get: (path, fields = []) => ask('GET', path, { fields }),
  }
}

/** A whole response says when it was made, by the cache's clock. */
function withDate(play: Play, now: () => number): Play {
  return (exchange) => {
    const respond = exchange.respond.bind(exchange)
    exchange.respond = (code, given, body) => {
      const fields = given ?? []
      const date: Field[] = fields.some(([name]) => name === 'Date') ? [] : [['Date', new Date(now()).toUTCString()]]
      return respond(code, [...fields, ...date], body)
    }
    return play(exchange)
  }
}

/** This cache's member of Cache-Status, less its name. */
export function status(response: { get(name: string): string | undefined }): string {
  return (response.get('cache-status') ?? '').replace(/^.*headrace; /, '')
}

/** A play that answers with Date as the cache's clock has it, and a body that tells the answers apart. */
export function answering(
  fields: Field[] | ((exchange: UpstreamExchange) => Field[]),
  options: { status?: number; body?: string } = {},
): (exchange: UpstreamExchange) => Promise<void> {
  let count = 0
  return (exchange) =>
    exchange.respond(
      options.status ?? 200,
      typeof fields === 'function' ? fields(exchange) : fields,
      options.body ?? `answer ${++count}`,
    )
}
