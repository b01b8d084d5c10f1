import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { cachedBefore, status } from './cached.ts'

/** Fields that an answer carries for the client that asked, and for nobody else (RFC 9111 §3.1, §5.2.2.4, §5.2.2.7). */

const FOR_ONE: [name: string, control: string, field: Field][] = [
  ['a cookie that is private', 'max-age=60, private="set-cookie"', ['Set-Cookie', 'sid=1']],
  ['a field that is private', 'max-age=60, private="x-user"', ['X-User', 'one']],
  ['a field that needs validation', 'max-age=60, no-cache="x-user"', ['X-User', 'one']],
  ["a proxy's field", 'max-age=60', ['Proxy-Authentication-Info', 'one']],
]

for (const [name, control, field] of FOR_ONE) {
  const said = field[0].toLowerCase()

  void test(`${name} is kept from a 304 as little as from a 200`, { timeout: PATIENCE }, async (t) => {
    const cached = await cachedBefore(t, [
      (exchange) =>
        exchange.respond(
          200,
          [
            ['Cache-Control', 'max-age=60'],
            ['ETag', '"1"'],
          ],
          'body',
        ),
      (exchange) => exchange.respond(304, [['Cache-Control', control], ['ETag', '"1"'], field], ''),
    ])
    await cached.get('/x')
    cached.pass(70)
    t.equal((await cached.get('/x')).get(said), field[1], 'who asked has it')
    const next = await cached.get('/x')
    t.match(status(next), /^hit; ttl=60/)
    t.equal(next.get(said), undefined)
  })

  for (const validated of [false, true]) {
    const answer = validated ? '304' : '200'

    void test(`${name} goes to the leader alone, not to those who wait for a ${answer} with it`, {
      timeout: PATIENCE,
    }, async (t) => {
      const gate = Promise.withResolvers<void>()
      let asked = 0
      const cached = await cachedBefore(t, async (exchange) => {
        if (validated && ++asked === 1) {
          return exchange.respond(
            200,
            [
              ['Cache-Control', 'max-age=60'],
              ['ETag', '"1"'],
            ],
            'body',
          )
        }
        await gate.promise
        return exchange.respond(
          validated ? 304 : 200,
          [['Cache-Control', control], ['ETag', '"1"'], field],
          validated ? '' : 'body',
        )
      })
      if (validated) await cached.get('/x')
      cached.pass(70)
      const sent = cached.upstream.received(validated ? 2 : 1)
      const leader = cached.get('/x')
      await sent
      const follower = cached.get('/x')
      await standstill(() => cached.upstream.requests.length)
      gate.resolve()
      t.equal((await leader).get(said), field[1])
      t.match(status(await follower), /collapsed/)
      t.strictSame([(await follower).get(said), String((await follower).body)], [undefined, 'body'])
    })
  }
}
