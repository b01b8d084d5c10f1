import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { GatewayState } from '../../../services/lane/gateway-state.ts'
import { QUIET } from '../access/given.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

const input = (generation: number) => ({
  access: {
    consumers: { acme: { groups: [`g${generation}`] } },
    jwt: { main: { issuer: 'https://id.test/', audience: 'a', jwks: { url: 'http://127.0.0.1:1/keys' } } },
  },
  cache: { disk: { enabled: false } },
  pressure: true,
  rateLimit: { clients: { rate: '10/min', by: 'ip' } },
  upstreams: { origin: { targets: ['http://127.0.0.1:1'], keepAlive: `${generation + 1}s` } },
  routes: { '/*': { to: 'origin', cache: true, access: ['jwt:main'], rateLimit: 'clients' } },
})

/** The next of a line of gateways; the one before it ends. */
async function follow(previous: GatewayState | null, generation: number): Promise<GatewayState> {
  const config = resolveConfig(input(generation), { root: '/' })
  const loans = () => Promise.reject(new Error('nobody lends'))
  const state = new GatewayState(config, { log: QUIET as never, previous, loans })
  await previous?.release()
  return state
}

void test('what takes the place of a gateway goes on with what it has gathered, and holds nothing else of it', async (t) => {
  const gone: WeakRef<object>[] = []
  const gathered: unknown[][] = []
  let state = await follow(null, 0)
  for (let generation = 1; generation < 5; generation++) {
    gone.push(new WeakRef(state), new WeakRef(state.access), new WeakRef(state.access.providers))
    gathered.push([state.nodeMetrics, state.load, state.traffic, state.pressure])
    state = await follow(state, generation)
  }
  for (const one of gathered) {
    t.ok(one[0] === state.nodeMetrics && one[1] === state.load && one[2] === state.traffic && one[3] === state.pressure)
  }
  // What a WeakRef has given out is kept until a turn of the event loop later.
  await setImmediate()
  collect()
  t.strictSame(
    gone.map((one) => one.deref()?.constructor.name ?? ''),
    gone.map(() => ''),
  )
  await state.release()
})
