/**
 * `node bench/micro/api-key.ts`: what an API key costs a request, in ns of CPU: the scheme alone, the whole gate (the caller's
 * permissions, its fields for upstreams, counting), the same on a connection that has shown its key before, a key that is unknown,
 * and the exchange that each has to be made for.
 */
import { AccessGate } from '../../services/access/access-gate.ts'
import { AccessCounters } from '../../services/access/counters.ts'
import type { Consumers } from '../../services/access/consumers/consumers.ts'
import { Directory } from '../../services/access/consumers/directory.ts'
import { FailedCredentials } from '../../services/access/failed-credentials.ts'
import { IdentityFields } from '../../services/access/identity-fields.ts'
import { makeKey } from '../../services/access/key/api-key.ts'
import { KeyScheme } from '../../services/access/key/key-scheme.ts'
import { Exchange } from '../../services/downstream/exchange.ts'
import { Peer } from '../../services/downstream/peer.ts'
import { TrustedProxies } from '../../services/downstream/trust.ts'
import { readRequestFields } from '../../services/http/request-fields.ts'

const ROUNDS = 7
const CALLS = 200_000
const CONSUMERS = 1_000

const keys = Array.from({ length: CONSUMERS }, () => makeKey())
const consumers = keys.map(({ id, hash }, index) => ({
  name: `consumer-${index}`,
  keys: [{ id, hash: hash.slice('sha256:'.length), created: null, expiresAt: null, note: null }],
  password: null,
  secrets: [],
  certificates: [],
  groups: ['partners'],
  scopes: ['read'],
  tier: 'gold',
  priority: null,
  enabled: true,
}))
const holder = { directory: new Directory(consumers) } as unknown as Consumers
const parts = { realm: 'bench', consumers: holder, isRevoked: () => false, now: Date.now }
const scheme = new KeyScheme({ header: 'x-api-key', query: null, keep: false }, parts)
const asked = { by: ['key'], anonymous: false, scopes: ['read'], groups: [], claims: [], allow: [], deny: [] }
const gate = new AccessGate(
  { ...asked, addresses: { allow: [], deny: [] }, public: false },
  {
    ways: [scheme],
    fields: new IdentityFields({ caller: 'x-consumer-id', groups: 'x-consumer-groups', scopes: 'x-consumer-scopes' }),
    counters: new AccessCounters(),
    failures: new FailedCredentials({ count: 120, windowMs: 60_000 }),
    keys: { header: 'x-api-key', query: null },
  },
)
const NONE_TRUSTED = new TrustedProxies([])
const peer = new Peer({ remoteAddress: '127.0.0.1' }, NONE_TRUSTED)

function exchangeWith(key: string, by = new Peer({ remoteAddress: '127.0.0.1' }, NONE_TRUSTED)): Exchange {
  const fields = ['host', 'api.test', 'user-agent', 'bench/1', 'accept', '*/*', 'x-api-key', key]
  return new Exchange({
    protocol: '1.1',
    method: 'GET',
    target: '/',
    fields: readRequestFields(fields),
    body: null,
    peer: by,
  })
}

const SHOWN = keys.map(({ key }) => key)
const UNKNOWN = keys.map(() => makeKey().key)

const CASES: [name: string, run: (index: number) => unknown][] = [
  ['exchange alone', (i) => exchangeWith(SHOWN[i % CONSUMERS] as string)],
  ['exchange and key', (i) => scheme.authenticate(exchangeWith(SHOWN[i % CONSUMERS] as string))],
  ['exchange and gate', (i) => gate.check(exchangeWith(SHOWN[i % CONSUMERS] as string))],
  ['the same, kept connection', () => gate.check(exchangeWith(SHOWN[0] as string, peer))],
  ['exchange and unknown key', (i) => scheme.authenticate(exchangeWith(UNKNOWN[i % CONSUMERS] as string))],
]

function measure(run: (index: number) => unknown): number {
  // CPU time: what others do on the machine meanwhile counts less.
  const begin = process.cpuUsage()
  for (let i = 0; i < CALLS; i++) run(i)
  const { user, system } = process.cpuUsage(begin)
  return ((user + system) * 1000) / CALLS
}

const found = new Map<string, number[]>(CASES.map(([name]) => [name, []]))
for (let round = 0; round < ROUNDS; round++) for (const [name, run] of CASES) found.get(name)?.push(measure(run))
for (const [name, all] of found) {
  const median = all.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number
  process.stdout.write(`${name.padEnd(26)} ${Math.round(median)} ns (least ${Math.round(Math.min(...all))})\n`)
}
