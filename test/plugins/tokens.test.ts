import Fastify from 'fastify'
import { test } from 'tap'
import controlPlugin from '../../plugins/control.ts'
import tokens, { type TokensOptions } from '../../plugins/tokens.ts'
import { ClusterControl } from '../../services/control/cluster-control.ts'
import { LocalControl } from '../../services/control/local.ts'

void test('that a process which starts has not heard of keys and sessions is no warning; of what was revoked it is', async (t) => {
  const lines: { level: number; msg: string }[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }
  const fastify = Fastify({ logger: { level: 'debug', stream } })
  t.teardown(() => fastify.close())
  // Two processes: this one, and one that has not started yet.
  const control = new ClusterControl({
    deadlineMs: 1_000,
    members: () => [
      { process: 1, id: 1, pid: 11, call: () => Promise.resolve() },
      { process: 2, id: 2, pid: 12, call: null },
    ],
  })
  const providers: Record<'sharing' | 'renewals', Partial<TokensOptions['access']['providers']['sharing']>> = {
    sharing: {},
    renewals: {},
  }
  const revocations: Partial<TokensOptions['access']['revocations']> = {}
  const access = { hmac: { shareWith: () => {} }, providers, revocations } as unknown as TokensOptions['access']
  await fastify.register(controlPlugin, { control })
  await fastify.register(tokens, { access, local: new LocalControl(), process: 1 })
  access.providers.sharing.processes.tell('https://issuer.test', '{"keys":[]}')
  access.providers.renewals.processes?.tell('digest', null)
  await access.revocations.announce?.([])
  t.strictSame(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [20, 'not every process heard of what this one has read'],
      [20, 'not every process heard of what this one has read'],
      [40, 'not every process heard of what holds no longer'],
    ],
  )
})
