import { once } from 'node:events'
import { type Test, test } from 'tap'
import { RedisRevoked, type RedisRevokedOptions } from '../../../../services/access/revoked/redis-revoked.ts'
import { type Revocation, Revoked } from '../../../../services/access/revoked/revoked.ts'
import { PATIENCE } from '../../../helper.ts'
import { QUIET } from '../given.ts'
import { until } from '../../../until.ts'
import { linkTo, noRedis, type RedisServer, startRedis } from '../../../redis-server.ts'

const soon = { skip: noRedis, timeout: PATIENCE }
const entry = (name: string): Revocation => ({ kind: 'token', name, at: Date.now(), until: Date.now() + 600_000 })

/** A machine of several. */
async function machine(
  t: Test,
  server: Pick<RedisServer, 'url'>,
  pollMs?: number,
  log: RedisRevokedOptions['log'] = QUIET,
) {
  const link = await linkTo(t, server.url)
  const revoked = new Revoked({ now: Date.now })
  const redis = new RedisRevoked({
    link,
    prefix: 'test',
    revoked,
    log,
    now: Date.now,
    ...(pollMs === undefined ? {} : { pollMs }),
  })
  t.teardown(() => redis.close())
  const knows = async (name: string): Promise<void> => {
    while (!revoked.has('token', name)) await new Promise<void>((resolve) => revoked.onChange(resolve))
  }
  const revoke = (name: string): void => redis.publish(revoked.add([entry(name)]))
  return { link, redis, revoked, knows, revoke }
}

void test('what one machine revokes is refused on the others, and on one that starts later', soon, async (t) => {
  const server = await startRedis(t)
  const [first, second] = [await machine(t, server), await machine(t, server)]
  first.revoke('a')
  await second.knows('a')
  second.revoke('b')
  await first.knows('b')
  const third = await machine(t, server)
  await third.knows('a')
  await third.knows('b')
})

void test('a message that is lost is made up for by looking', soon, async (t) => {
  const server = await startRedis(t)
  const [first, second] = [await machine(t, server, 600_000), await machine(t, server, 20)]
  second.link.subscriber().removeAllListeners('message')
  first.revoke('a')
  await second.knows('a')
})

void test(
  'what is revoked while Redis is away is told once it is back, and so is what it has lost',
  soon,
  async (t) => {
    const server = await startRedis(t)
    const [first, second] = [await machine(t, server, 50), await machine(t, server, 50)]
    await Promise.all([once(first.link, 'away'), once(second.link, 'away'), server.kill()])
    first.revoke('a')
    t.equal(first.revoked.has('token', 'a'), true, 'here at once')
    await server.restart()
    await second.knows('a')
  },
)

void test(
  'a server that has lost everything is told again, and what it is told meanwhile is heard',
  soon,
  async (t) => {
    const server = await startRedis(t)
    const [first, second] = [await machine(t, server, 50), await machine(t, server, 50)]
    first.revoke('a')
    await second.knows('a')
    await Promise.all([once(first.link, 'away'), once(second.link, 'away'), server.kill()])
    await server.restart()
    const third = await machine(t, server, 50)
    third.revoke('b')
    await Promise.all([first.knows('b'), second.knows('b'), third.knows('a')])
  },
)

void test(
  'a machine that may not write to Redis says so once, and hears of the others all the same',
  soon,
  async (t) => {
    const server = await startRedis(t)
    await server.cli('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-eval', '-evalsha')
    const url = server.url.replace('redis://', 'redis://reader:secret@')
    const said: string[] = []
    const log = { info: say, error: say }
    function say(details: object, message: string): void {
      said.push(`${message}: ${String((details as { reason?: unknown }).reason)}`)
    }
    const reader = await machine(t, { url }, 20, log)
    const other = await machine(t, server, 20)
    reader.revoke('a')
    other.revoke('b')
    await reader.knows('b')
    other.revoke('c')
    await reader.knows('c')
    t.match(said, [/^Machines do not hear of what is revoked: Redis refuses: NOPERM /])
    await server.cli('ACL', 'SETUSER', 'reader', '+@all')
    await other.knows('a')
    await until(() => said.length === 2)
    t.match(said[1], /again/)
  },
)
