import type { Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { createLane } from '../../../services/lane/create-lane.ts'
import { createDrainState } from '../../../services/listener/drain.ts'
import { createListener } from '../../../services/listener/listener.ts'
import type { Resolver } from '../../../services/upstream/discovery/resolver.ts'
import type { UpstreamEvent } from '../../../services/upstream/events.ts'
import type { Upstream } from '../../../services/upstream/upstream.ts'
import { Upstreams } from '../../../services/upstream/upstreams.ts'
import { type ClientExchange, type ClientRequest, connectClient } from '../../client.ts'
import { TIMEOUTS } from '../../helper.ts'
import type { ClientResponse } from '../../incoming.ts'
import { Milestones } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { HandClock } from '../../services/upstream/hand-clock.ts'

/** A lane before an upstream `api`, on real sockets; its upstreams' clock, chance and name servers are the test's. */
export interface BeforeTargets {
  upstreams: Upstreams
  api: Upstream
  clock: HandClock
  events: UpstreamEvent[]
  /** Exchanges that are over, in order. */
  finished: Exchange[]
  over(count: number): Promise<void>
  /** Requests over connections of their own. */
  open(request: ClientRequest): Promise<ClientExchange>
  ask(request: { method?: string; path?: string; fields?: Field[]; body?: string }): Promise<ClientResponse>
}

export interface BeforeTargetsOptions {
  /** Options of the upstream. */
  to: Record<string, unknown>
  route?: Record<string, unknown>
  random?: () => number
  resolver?: Partial<Resolver>
  /** Of the lane, beside what is made here. */
  parts?: Partial<Parameters<typeof createLane>[0]>
}

export async function beforeTargets(t: Test, options: BeforeTargetsOptions): Promise<BeforeTargets> {
  const config = resolveConfig(
    {
      listen: { port: 0 },
      log: { level: 'silent' },
      upstreams: { api: { timeout: TIMEOUTS, ...options.to } },
      routes: { '/*': { to: 'api', ...options.route } },
    },
    { root: '/' },
  )
  const clock = new HandClock()
  const unknown = (name: string): Promise<never> => Promise.reject(new Error(`nobody knows ${name}`))
  const resolver = { addresses: unknown, services: unknown, ...options.resolver }
  const upstreams = new Upstreams(config.upstreams, {
    parts: { clock, random: options.random ?? Math.random, resolver },
  })
  const events: UpstreamEvent[] = []
  upstreams.watch((event) => void events.push(event))
  const finished: Exchange[] = []
  const ends = new Milestones()
  const lane = createLane({
    ...config,
    upstreams,
    traffic: null,
    own: { find: () => undefined },
    ownGuard: () => '',
    internalErrors: { record: (error) => t.fail('the gateway itself has failed', { error }) },
    finished: [
      (exchange) => {
        finished.push(exchange)
        ends.advance()
      },
    ],
    ...options.parts,
  })
  const handlers = {
    head: lane.head.bind(lane),
    request: lane.request.bind(lane),
    stream: lane.stream.bind(lane),
    broke: lane.brokeOff.bind(lane),
    fallback: () => t.fail('the lane declined a request'),
  }
  const [listen] = config.listen
  const listener = createListener(listen as NonNullable<typeof listen>, {
    limits: config.limits,
    handlers,
    dataDir: config.dataDir,
    drain: createDrainState(),
  })
  t.teardown(async () => {
    await listener.close()
    await upstreams.close()
    lane.cache.storage.store.close()
  })
  await upstreams.start()
  const { port } = await listener.listen()
  const client = () => connectClient(t, { cleartext: port as number, tls: 0 }, 'h1')
  return {
    upstreams,
    api: upstreams.get('api'),
    clock,
    events,
    finished,
    over: (count) => ends.wait(count),
    open: async (request) => (await client()).open(request),
    ask: async ({ path = '/', ...rest }) => (await client()).request({ path, ...rest }),
  }
}
