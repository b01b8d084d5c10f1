import { test } from 'tap'
import { everyProtocol, isProblem, PATIENCE } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { answering, cachedBefore, status } from './cached.ts'

const FRESH = ['Cache-Control', 'max-age=60'] as const
const CHUNKED = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n'

everyProtocol('a thousand that miss at once make one request', async (t, protocol) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await gate.promise
      await exchange.respond(200, [FRESH], 'for all')
    },
  ])
  const count = protocol === 'h1' ? 200 : 1000
  const clients = await Promise.all(Array.from({ length: protocol === 'h1' ? 1 : 10 }, () => cached.client(protocol)))
  const opened = await Promise.all(
    Array.from({ length: count }, (_, i) => clients[i % clients.length]!.open({ path: '/x' })),
  )
  await cached.upstream.received(1)
  await standstill(() => cached.cache.flights)
  gate.resolve()
  const answers = await Promise.all(opened.map(({ response }) => response.whole()))
  t.ok(answers.every(({ body }) => body.toString() === 'for all'))
  t.equal(answers.filter((answer) => /collapsed/.test(status(answer)) || /hit/.test(status(answer))).length, count - 1)
  t.equal(new Set(answers.map((answer) => answer.get('x-request-id'))).size, count, 'each has its own request id')
  t.equal(cached.upstream.requests.length, 1)
  t.equal(cached.cache.flights, 0)
  await cached.over(count)
})

everyProtocol(
  'followers get the first bytes before the origin has sent the last, also those who come late',
  async (t, protocol) => {
    const more = Promise.withResolvers<void>()
    const cached = await cachedBefore(t, [
      async (exchange) => {
        await exchange.send(CHUNKED)
        await exchange.chunk('first')
        await more.promise
        await exchange.chunk(' last')
        await exchange.lastChunk()
      },
    ])
    const client = await cached.client(protocol)
    const leader = await client.open({ path: '/x' })
    t.equal(String(await leader.response.chunk()), 'first')
    const late = await client.open({ path: '/x' })
    t.equal(String(await late.response.chunk()), 'first')
    t.match(status(await late.response.head()), /fwd=uri-miss; fwd-status=200; .*collapsed/)
    more.resolve()
    for (const { response } of [leader, late]) t.equal(String((await response.whole()).body), 'first last')
    t.match(status(await client.request({ path: '/x' })), /^hit/)
  },
)

const UNSHAREABLE: [name: string, fields: [string, string][]][] = [
  ['private', [['Cache-Control', 'private, max-age=60']]],
  ['no-store', [['Cache-Control', 'no-store']]],
  [
    'Set-Cookie',
    [
      ['Cache-Control', 'max-age=60'],
      ['Set-Cookie', 'a=b'],
    ],
  ],
  [
    'Vary: *',
    [
      ['Cache-Control', 'max-age=60'],
      ['Vary', '*'],
    ],
  ],
  [
    'an event stream',
    [
      ['Cache-Control', 'max-age=60'],
      ['Content-Type', 'Text/Event-Stream; charset=utf-8'],
    ],
  ],
]

for (const [name, fields] of UNSHAREABLE) {
  void test(`what proves not shareable (${name}) frees all at once, and is remembered until it is`, {
    timeout: PATIENCE,
  }, async (t) => {
    const first = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    let shareable = false
    let count = 0
    const cached = await cachedBefore(t, async (exchange) => {
      const own = ++count
      if (own === 1) await first.promise
      else if (own <= 10) await gate.promise
      await exchange.respond(200, shareable ? [FRESH] : fields, `for ${exchange.request.get('x-who')}`)
    })
    const ask = (who: number) => cached.get('/x', [['X-Who', String(who)]])
    const leader = ask(1)
    await cached.upstream.received(1)
    const others = Array.from({ length: 9 }, (_, i) => ask(i + 2))
    await standstill(() => cached.upstream.requests.length)
    t.equal(cached.upstream.requests.length, 1, 'they wait')
    first.resolve()
    // None of the nine is answered yet: they went out together.
    await cached.upstream.received(10)
    gate.resolve()
    const answers = await Promise.all([leader, ...others])
    t.strictSame(
      answers.map(({ body }) => String(body)),
      Array.from({ length: 10 }, (_, i) => `for ${i + 1}`),
    )
    t.equal(cached.store.stats().entries, 0)
    t.equal(cached.cache.flights, 0)
    t.equal(cached.passes.size, 1)
    // Remembered: those who come now do not wait for each other.
    const again = await Promise.all([ask(11), ask(12)])
    t.strictSame(
      again.map(({ body }) => String(body)),
      ['for 11', 'for 12'],
    )
    shareable = true
    await ask(13)
    t.equal(cached.passes.size, 0, 'forgotten when it is shareable again')
    await ask(14)
    t.match(status(await ask(15)), /^hit/)
  })
}

void test('a private answer never goes to another than the one whose request was sent', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    if (exchange.request.get('cookie') === 'who=leader') await gate.promise
    await exchange.respond(200, [['Cache-Control', 'private']], `for ${exchange.request.get('cookie')}`)
  })
  const leader = await (await cached.client()).open({ path: '/x', fields: [['Cookie', 'who=leader']] })
  await cached.upstream.received(1)
  const follower = cached.get('/x', [['Cookie', 'who=follower']])
  await standstill(() => cached.upstream.requests.length)
  leader.abort()
  await cached.over(1)
  t.equal(cached.finished[0]?.code, 'CLIENT_ABORT')
  gate.resolve()
  t.equal(String((await follower).body), 'for who=follower')
  t.equal(cached.cache.flights, 0)
})

void test("a refresh that turns out private answers nobody who waits for it with another's answer", {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count === 1)
      return exchange.respond(200, [['Cache-Control', 'max-age=1, stale-while-revalidate=10']], 'shared')
    if (count === 2) await gate.promise
    return exchange.respond(200, [['Cache-Control', 'private']], `for ${exchange.request.get('cookie')}`)
  })
  await cached.get('/x')
  cached.pass(5)
  t.equal(String((await cached.get('/x', [['Cookie', 'who=a']])).body), 'shared')
  await cached.upstream.received(2)
  cached.pass(100)
  const waiting = cached.get('/x', [['Cookie', 'who=b']])
  await standstill(() => cached.upstream.requests.length)
  t.equal(cached.upstream.requests.length, 2, 'it waits for the refresh')
  gate.resolve()
  t.equal(String((await waiting).body), 'for who=b')
  t.equal(cached.store.stats().entries, 0, 'what was shared is no longer')
})

everyProtocol("the leader's client leaving does not hurt those who follow", async (t, protocol) => {
  const more = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await more.promise
      await exchange.respond(200, [FRESH], 'all of it')
    },
  ])
  const leader = await (await cached.client(protocol)).open({ path: '/x' })
  await cached.upstream.received(1)
  const follower = await (await cached.client(protocol)).open({ path: '/x' })
  await standstill(() => cached.upstream.connections.length)
  leader.abort()
  await cached.over(1)
  more.resolve()
  t.equal(String((await follower.response.whole()).body), 'all of it')
  t.equal(cached.upstream.requests.length, 1)
  await cached.over(2)
  t.strictSame(
    cached.finished.map(({ status: code }) => code),
    [499, 200],
  )
})

everyProtocol('when all have left before the answer, the request is given up', async (t, protocol) => {
  const cached = await cachedBefore(t, async (exchange) => exchange.stall())
  const clients = await Promise.all([cached.client(protocol), cached.client(protocol), cached.client(protocol)])
  const [first, ...others] = clients
  const opened = [await first!.open({ path: '/x' })]
  await cached.upstream.received(1)
  for (const client of others) opened.push(await client.open({ path: '/x' }))
  await standstill(() => cached.cache.flights)
  for (const exchange of opened) exchange.abort()
  await cached.upstream.closed(0)
  await cached.over(3)
  t.strictSame(cached.finished.map(({ cacheResult }) => String(cacheResult)).toSorted(), [
    'collapsed',
    'collapsed',
    'miss',
  ])
  t.equal(cached.cache.flights, 0)
  t.equal(cached.upstream.requests.length, 1)
})

void test('when all have left within an answer that can be stored, it is stored; else it is given up', {
  timeout: PATIENCE,
}, async (t) => {
  const more = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    const control = exchange.request.target === '/kept' ? 'max-age=60' : 'no-store'
    await exchange.send(`HTTP/1.1 200 OK\r\nCache-Control: ${control}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    await exchange.chunk('first')
    if (exchange.request.target !== '/kept') return exchange.stall()
    await more.promise
    await exchange.chunk(' last')
    return exchange.lastChunk()
  })
  for (const path of ['/kept', '/dropped']) {
    const exchange = await (await cached.client()).open({ path })
    await exchange.response.chunk()
    exchange.abort()
  }
  await cached.upstream.closed(1)
  await cached.over(2)
  more.resolve()
  await standstill(() => cached.store.stats().entries)
  t.equal(String((await cached.get('/kept')).body), 'first last')
  t.equal(cached.upstream.requests.length, 2)
})

everyProtocol(
  'an upstream that dies within the body breaks all answers off, and leaves nothing',
  async (t, protocol) => {
    const die = Promise.withResolvers<void>()
    let count = 0
    const cached = await cachedBefore(t, async (exchange) => {
      if (++count > 1) return exchange.respond(200, [FRESH], 'whole')
      await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 100\r\n\r\nfirst')
      await die.promise
      return exchange.reset()
    })
    const client = await cached.client(protocol)
    const opened = [await client.open({ path: '/x' }), await client.open({ path: '/x' })]
    for (const { response } of opened) await response.chunk()
    die.resolve()
    for (const { response } of opened) t.equal(await response.ending(), 'broken')
    t.equal(cached.store.stats().entries, 0)
    t.equal(cached.cache.flights, 0)
    t.equal(String((await client.request({ path: '/x' })).body), 'whole')
  },
)

void test('an upstream that fails before the head gives each a problem of its own', {
  timeout: PATIENCE,
}, async (t) => {
  const die = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await die.promise
    exchange.reset()
  })
  const asked = Array.from({ length: 5 }, () => cached.get('/x'))
  await cached.upstream.received(1)
  await standstill(() => cached.upstream.connections.length)
  die.resolve()
  const answers = await Promise.all(asked)
  for (const answer of answers) isProblem(t, answer, 502)
  const ids = answers.map(({ body }) => (JSON.parse(String(body)) as { requestId: string }).requestId)
  t.strictSame(
    ids,
    answers.map((answer) => answer.get('x-request-id')),
  )
  t.equal(new Set(ids).size, 5)
  t.equal(cached.upstream.requests.length, 1)
  t.equal(cached.cache.flights, 0)
})

void test('variants that turn up in a flight go together by variant, not one after the other', {
  timeout: PATIENCE,
}, async (t) => {
  const gates = new Map(['leader', 'rest'].map((name) => [name, Promise.withResolvers<void>()]))
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    await gates.get(++count === 1 ? 'leader' : 'rest')!.promise
    const language = exchange.request.get('x-variant') ?? 'none'
    await exchange.respond(200, [FRESH, ['Vary', 'X-Variant']], language)
  })
  const ask = (variant: string) => cached.get('/x', [['X-Variant', variant]])
  const asked = [ask('a')]
  await cached.upstream.received(1)
  const variants = ['a', 'b', 'c', 'd', 'e']
  for (let i = 1; i < 25; i++) asked.push(ask(variants[i % 5]!))
  await standstill(() => cached.upstream.requests.length)
  gates.get('leader')!.resolve()
  // The other four are asked for at once; none has been answered.
  await cached.upstream.received(5)
  await standstill(() => cached.upstream.requests.length)
  gates.get('rest')!.resolve()
  const bodies = (await Promise.all(asked)).map(({ body }) => String(body))
  t.strictSame(
    bodies,
    Array.from({ length: 25 }, (_, i) => variants[i % 5]),
  )
  t.equal(cached.upstream.requests.length, 5)
  t.equal(cached.store.stats().entries, 5)
  t.equal(cached.cache.flights, 0)
})

void test('an origin that varies by something else each time sends nobody around for ever', {
  timeout: PATIENCE,
}, async (t) => {
  let count = 0
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await gate.promise
    await exchange.respond(200, [FRESH, ['Vary', `X-${++count}, X-Who`]], exchange.request.get('x-who')!)
  })
  const asked = Array.from({ length: 12 }, (_, i) => cached.get('/x', [['X-Who', String(i)]]))
  await cached.upstream.received(1)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  const bodies = (await Promise.all(asked)).map(({ body }) => String(body))
  t.strictSame(
    bodies,
    Array.from({ length: 12 }, (_, i) => String(i)),
  )
  t.equal(cached.cache.flights, 0)
})

void test('who could not be answered with others twice goes alone', { timeout: PATIENCE }, async (t) => {
  let count = 0
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    const own = ++count
    await gate.promise
    await exchange.respond(200, [FRESH, ['Vary', `X-${Math.min(own, 3)}`]], 'x')
  })
  // Streams of one connection come in order: each answer parts the one whose request was sent from all who still wait.
  const client = await cached.client('h2c')
  const asked = Array.from({ length: 5 }, (_, i) =>
    client.request({
      path: '/x',
      fields: [1, 2, 3].map((n): Field => [`x-${n}`, i < n ? `${i}` : 'same']),
    }),
  )
  await cached.upstream.received(1)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  const answers = await Promise.all(asked)
  t.strictSame(answers.map(status).toSorted(), [
    'fwd=miss',
    'fwd=miss',
    'fwd=uri-miss; fwd-status=200; ttl=60; stored',
    'fwd=vary-miss; fwd-status=200; ttl=60; stored',
    'fwd=vary-miss; fwd-status=200; ttl=60; stored',
  ])
  t.equal(cached.upstream.requests.length, 5)
})

void test('another variant under way keeps nobody from the one that is there', { timeout: PATIENCE }, async (t) => {
  const [more, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await exchange.send(CHUNKED.replace('\r\n\r\n', '\r\nVary: X-Who\r\n\r\n'))
      await exchange.chunk('first')
      await more.promise
      await exchange.lastChunk()
    },
    async (exchange) => {
      await other.promise
      await exchange.respond(200, [FRESH, ['Vary', 'X-Who']], 'other')
    },
  ])
  const ask = async (who: string) => (await cached.client()).open({ path: '/x', fields: [['X-Who', who]] })
  const leader = await ask('a')
  await leader.response.head()
  const second = await ask('b')
  await cached.upstream.received(2)
  const late = await ask('a')
  t.match(status(await late.response.head()), 'collapsed')
  more.resolve()
  other.resolve()
  for (const { response } of [leader, late]) t.equal(String((await response.whole()).body), 'first')
  t.equal(String((await second.response.whole()).body), 'other')
})

void test('HEAD, ranges and requests for something new do not wait, nor are they waited for', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count === 1) await gate.promise
    await exchange.respond(200, [FRESH], `answer ${count}`)
  })
  const leader = cached.get('/x')
  await cached.upstream.received(1)
  t.equal((await cached.ask('HEAD', '/x')).status, 200)
  t.equal(cached.upstream.requests[1]?.method, 'HEAD')
  const own: Field[][] = [
    [['Cache-Control', 'no-cache']],
    [['Cache-Control', 'max-age=0']],
    [['Pragma', 'no-cache']],
    [['Authorization', 'Basic eA==']],
    [['Range', 'bytes=0-1']],
  ]
  for (const fields of own) {
    cached.store.invalidate({ kind: 'all' }, 'hard')
    const { length } = cached.upstream.requests
    await cached.get('/x', fields)
    t.equal(cached.upstream.requests.length, length + 1, String(fields))
  }
  gate.resolve()
  await leader
  t.equal(cached.cache.flights, 0)
})

void test('a conditional request that waits is answered by what comes', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await gate.promise
      await exchange.respond(200, [FRESH, ['ETag', '"a"']], 'body')
    },
  ])
  const leader = cached.get('/x', [['If-None-Match', '"old"']])
  const sent = await cached.upstream.received(1)
  t.equal(sent.get('if-none-match'), undefined, "the client's condition is the cache's to answer")
  const follower = cached.get('/x', [['If-None-Match', '"a"']])
  await standstill(() => cached.upstream.connections.length)
  gate.resolve()
  t.equal((await leader).status, 200)
  const answer = await follower
  t.equal(answer.status, 304)
  t.equal(answer.get('etag'), '"a"')
})

void test('by what is known to choose among variants nobody waits for another', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count > 1) await gate.promise
    await exchange.respond(200, [FRESH, ['Vary', 'X-Who']], exchange.request.get('x-who')!)
  })
  await cached.get('/x', [['X-Who', 'a']])
  cached.pass(100)
  const asked = ['a', 'b'].map((who) => cached.get('/x', [['X-Who', who]]))
  await cached.upstream.received(3)
  gate.resolve()
  t.strictSame(
    (await Promise.all(asked)).map(({ body }) => String(body)),
    ['a', 'b'],
  )
})

void test('a purge of something else parts nobody who waits', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await gate.promise
      await exchange.respond(200, [FRESH], 'for all')
    },
  ])
  const asked = [cached.get('/x')]
  await cached.upstream.received(1)
  await cached.cache.purge({ kind: 'url', url: 'http://gateway.test/other' }, 'hard')
  asked.push(cached.get('/x'))
  await standstill(() => cached.finished.length)
  gate.resolve()
  for (const { body } of await Promise.all(asked)) t.equal(String(body), 'for all')
  t.equal(cached.upstream.requests.length, 1)
})

void test('who asks after a purge does not get what was asked for before it', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    const own = ++count
    if (own === 1) await gate.promise
    await exchange.respond(200, [FRESH], `answer ${own}`)
  })
  const before = cached.get('/x')
  await cached.upstream.received(1)
  void cached.cache.purge({ kind: 'url', url: 'http://gateway.test/x' }, 'hard')
  const after = await cached.get('/x')
  t.equal(String(after.body), 'answer 2')
  gate.resolve()
  t.equal(String((await before).body), 'answer 1', 'who asked before gets the answer')
  t.equal(String((await cached.get('/x')).body), 'answer 2', 'it was not stored over the newer one')
  t.equal(cached.cache.flights, 0)
})

for (const control of ['no-cache', 'max-age=0', 'max-age=5']) {
  void test(`who comes when the head is there gets no more than the store would give: ${control}`, {
    timeout: PATIENCE,
  }, async (t) => {
    const more = Promise.withResolvers<void>()
    let count = 0
    const cached = await cachedBefore(t, async (exchange) => {
      if (++count > 1)
        return exchange.respond(
          200,
          [
            ['Cache-Control', control],
            ['ETag', '"2"'],
          ],
          'new',
        )
      await exchange.send(CHUNKED.replace('max-age=60', `${control}\r\nETag: "1"`))
      await exchange.chunk('old')
      await more.promise
      await exchange.lastChunk()
    })
    const leader = await (await cached.client()).open({ path: '/x' })
    t.equal(String(await leader.response.chunk()), 'old')
    cached.pass(3600)
    const late = await cached.get('/x')
    t.equal(String(late.body), 'new')
    t.notMatch(status(late), /collapsed|ttl=-/)
    more.resolve()
    t.equal(String((await leader.response.whole()).body), 'old')
    t.equal(cached.cache.flights, 0)
  })
}

void test('who comes when the head is there is told its age', { timeout: PATIENCE }, async (t) => {
  const more = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await exchange.send(CHUNKED.replace('max-age=60', 'max-age=60\r\nETag: "1"\r\nAge: 5'))
      await exchange.chunk('first')
      await more.promise
      await exchange.lastChunk()
    },
  ])
  const leader = await (await cached.client()).open({ path: '/x' })
  t.equal(String(await leader.response.chunk()), 'first')
  cached.pass(20)
  const late = await (await cached.client()).open({ path: '/x' })
  const head = await late.response.head()
  t.strictSame(
    head.fields.filter(([name]) => name.toLowerCase() === 'age').map(([, value]) => value),
    ['25'],
  )
  t.match(status(head), /ttl=35; .*collapsed/)
  const same = await cached.get('/x', [['If-None-Match', '"1"']])
  t.strictSame([same.status, same.get('age')], [304, '25'])
  more.resolve()
  t.equal(String((await late.response.whole()).body), 'first')
  await leader.response.whole()
})

void test("who waits for another's answer has its own If-Match decided by the origin", {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (exchange.request.get('if-match') !== undefined) return exchange.respond(412, [], '')
    if (++count === 1)
      return exchange.respond(
        200,
        [
          ['Cache-Control', 'max-age=5'],
          ['ETag', '"1"'],
        ],
        'old',
      )
    await gate.promise
    return exchange.respond(200, [FRESH, ['ETag', '"2"']], 'new')
  })
  await cached.get('/x')
  cached.pass(10)
  const leader = cached.get('/x')
  await cached.upstream.received(2)
  const ours = cached.get('/x', [['If-Match', '"1"']])
  const theirs = cached.get('/x', [['If-Match', '"2"']])
  await standstill(() => cached.upstream.requests.length)
  t.equal(cached.upstream.requests.length, 2, 'they wait')
  gate.resolve()
  t.equal((await ours).status, 412)
  t.strictSame([(await theirs).status, String((await theirs).body)], [200, 'new'])
  t.equal((await leader).status, 200)
  t.equal(cached.upstream.requests.length, 3)
})

for (const validated of [false, true]) {
  for (const [field, value, tag] of [
    ['Surrogate-Key', 'list', 'list'],
    ['Cache-Groups', '"list"', 'group http://gateway.test list'],
  ] as const) {
    const answer = validated ? '304' : '200'

    void test(`who asks after a purge of a tag that the ${answer} on its way will have waits for another: ${field}`, {
      timeout: PATIENCE,
    }, async (t) => {
      const gate = Promise.withResolvers<void>()
      let count = validated ? -1 : 0
      const cached = await cachedBefore(t, async (exchange) => {
        const own = ++count
        if (own === 0)
          return exchange.respond(
            200,
            [
              ['Cache-Control', 'max-age=5'],
              ['ETag', '"1"'],
            ],
            'answer 1',
          )
        if (own > 1) return exchange.respond(200, [FRESH, [field, value]], `answer ${own}`)
        await gate.promise
        return exchange.respond(
          validated ? 304 : 200,
          [FRESH, ['ETag', '"1"'], [field, value]],
          validated ? '' : 'answer 1',
        )
      })
      if (validated) await cached.get('/x')
      cached.pass(10)
      const sent = cached.upstream.received(validated ? 2 : 1)
      const leader = cached.get('/x')
      await sent
      const before = cached.get('/x')
      await standstill(() => cached.upstream.requests.length)
      await cached.cache.purge({ kind: 'tag', tag }, 'hard')
      const after = [cached.get('/x'), cached.get('/x')]
      await standstill(() => cached.upstream.requests.length)
      gate.resolve()
      for (const asked of [leader, before]) {
        t.equal(String((await asked).body), 'answer 1')
        t.notMatch(status(await asked), /stored/)
      }
      for (const { body } of await Promise.all(after)) t.equal(String(body), 'answer 2')
      const both = (await Promise.all(after)).map(status).toSorted()
      t.match(both[0], /^fwd=uri-miss; fwd-status=200; ttl=60; stored/)
      t.equal(cached.upstream.requests.length, validated ? 3 : 2, 'they ask together')
      t.match(status(await cached.get('/x')), /^hit/)
      t.equal(cached.cache.flights, 0)
    })
  }
}

void test('interim answers go to the leader alone', { timeout: PATIENCE }, async (t) => {
  const hints = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    async (exchange) => {
      await hints.promise
      await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </me.css>; rel=preload\r\nSet-Cookie: sid=1\r\n\r\n')
      await gate.promise
      await exchange.respond(200, [FRESH], 'for all')
    },
  ])
  const [leader, follower] = [await cached.client(), await cached.client()]
  const first = await leader.open({ path: '/x' })
  await cached.upstream.received(1)
  const second = await follower.open({ path: '/x' })
  await standstill(() => cached.upstream.requests.length)
  hints.resolve()
  t.match(await first.response.interim(), { status: 103 })
  gate.resolve()
  const answers = await Promise.all([first.response.whole(), second.response.whole()])
  t.strictSame(
    answers.map(({ informational }) => informational.length),
    [1, 0],
  )
  t.ok(answers.every(({ body }) => String(body) === 'for all'))
})

void test('counters book what became of each', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, answering([FRESH]))
  await cached.get('/x')
  await cached.get('/x')
  t.strictSame(
    cached.finished.map(({ cacheResult }) => cacheResult),
    ['miss', 'hit'],
  )
})

void test('a request that comes back to the gateway does not wait for itself', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, async (exchange) => {
    const again = await cached.ask('GET', '/x', { fields: [['Via', exchange.request.get('via') ?? '']] })
    await exchange.respond(again.status, [FRESH], again.body.toString())
  })
  const response = await cached.get('/x')
  t.equal(response.status, 508)
  t.equal(cached.upstream.requests.length, 8)
  t.equal(cached.cache.flights, 0)
})

void test('those who come through another gateway wait for one of them, and for none that came directly', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await gate.promise
    await exchange.respond(200, [FRESH], 'x')
  })
  const direct = cached.get('/x')
  const via = (await cached.upstream.received(1)).get('via') ?? ''
  const around: Field[] = [['Via', via]]
  const first = cached.get('/x', around)
  await cached.upstream.received(2)
  const others = [[], around, around].map((fields) => cached.get('/x', fields))
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  for (const answer of await Promise.all([direct, first, ...others])) t.equal(String(answer.body), 'x')
  t.equal(cached.upstream.requests.length, 2)
})

void test('nobody waits for a request that the origin may refuse for its precondition', {
  timeout: PATIENCE,
}, async (t) => {
  const gates = { first: Promise.withResolvers<void>(), others: Promise.withResolvers<void>() }
  let asked = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (exchange.request.get('if-match') !== undefined) {
      await gates.first.promise
      return exchange.respond(412, [], '')
    }
    if (asked++ > 0) await gates.others.promise
    return exchange.respond(
      200,
      [
        ['Cache-Control', 'max-age=5'],
        ['ETag', `"${asked}"`],
      ],
      `answer ${asked}`,
    )
  })
  await cached.get('/x')
  cached.pass(10)
  const leader = cached.get('/x', [['If-Match', '"1"']])
  await cached.upstream.received(2)
  const others = Array.from({ length: 10 }, () => cached.get('/x'))
  await cached.upstream.received(3)
  gates.first.resolve()
  t.equal((await leader).status, 412)
  gates.others.resolve()
  for (const answer of await Promise.all(others)) t.equal(String(answer.body), 'answer 2')
  t.equal(cached.upstream.requests.length, 3)
})

void test('nobody waits for what one client asks again for', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const own: Field = ['Authorization', 'Basic YTpi']
  const cached = await cachedBefore(t, async (exchange) => {
    const isOwn = exchange.request.get('authorization') !== undefined
    // It fits nothing that is stored: the client's request is sent again, without a condition.
    if (isOwn && exchange.request.get('if-none-match') !== undefined) return exchange.respond(304, [['ETag', '"9"']])
    if (isOwn) await gate.promise
    return exchange.respond(
      200,
      [
        ['Cache-Control', 'public, max-age=5'],
        ['ETag', '"1"'],
      ],
      isOwn ? 'own' : 'all',
    )
  })
  await cached.get('/x')
  cached.pass(10)
  const leader = cached.get('/x', [own])
  await cached.upstream.received(3)
  t.equal(String((await cached.get('/x')).body), 'all')
  gate.resolve()
  t.equal(String((await leader).body), 'own')
  t.equal(cached.upstream.requests.length, 4)
})
