import { once } from 'node:events'
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Test } from 'tap'
import { gatewayBeforeH2, type H2Exchange, type H2Upstream } from '../h2-upstream.ts'
import { type ConfigInput, everyProtocol, upstreamInCleartext } from '../helper.ts'

/** gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), frame by frame: no library between. */

/** A message with its prefix: not compressed, its length. */
function message(text: string): Buffer {
  const bytes = Buffer.from(text)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

/** Reads messages as they come, however they are cut. */
async function* messages(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held = Buffer.alloc(0)
  for await (const chunk of stream) {
    held = Buffer.concat([held, chunk])
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1)
      yield held.subarray(5, end).toString()
      held = held.subarray(end)
    }
  }
}

const next = async (from: AsyncGenerator<string>): Promise<string | undefined> => {
  const { value, done } = await from.next()
  return done === true ? undefined : value
}

const OK = { 'grpc-status': '0' }

/** The answer of a server: its head now, its status in trailers at the end. */
function answer({ stream }: H2Exchange, trailers: Record<string, string> = OK): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
}

interface Call {
  stream: ClientHttp2Stream
  head: Promise<IncomingHttpHeaders>
  trailers: Promise<IncomingHttpHeaders>
  messages: AsyncGenerator<string>
}

async function start(
  t: Test,
  play: (exchange: H2Exchange) => unknown,
  config: ConfigInput = {},
): Promise<{ upstream: H2Upstream; session: ClientHttp2Session; call: (method: string) => Call }> {
  const { gateway, upstream } = await gatewayBeforeH2(t, play, { config })
  const { cleartext, tls } = gateway.ports
  const session = upstreamInCleartext(t)
    ? connect(`http://127.0.0.1:${cleartext}`)
    : connect(`https://127.0.0.1:${tls}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  session.on('error', () => undefined)
  const call = (method: string): Call => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/fleet.Vehicles/${method}`,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-timeout': '5S',
    })
    stream.on('error', () => undefined)
    const first = (event: string): Promise<IncomingHttpHeaders> => {
      const fields = once(stream, event).then(([given]) => given as IncomingHttpHeaders)
      // A call that is reset has no end that anybody waits for.
      fields.catch(() => undefined)
      return fields
    }
    return { stream, head: first('response'), trailers: first('trailers'), messages: messages(stream) }
  }
  return { upstream, session, call }
}

/** Over TLS on both sides, and in cleartext on both. */
const grpc = (name: string, body: (t: Test) => Promise<void>): void => everyProtocol(name, body, ['h2', 'h2c'])

grpc('a unary call: one message each way, and the status behind it', async (t) => {
  const { call, upstream } = await start(t, async (exchange) => {
    const asked = await next(messages(exchange.stream))
    answer(exchange)
    exchange.stream.end(message(`hello ${asked}`))
  })
  const { stream, head, trailers, messages: said } = call('Get')
  stream.end(message('world'))
  t.match(await head, { ':status': 200, 'content-type': 'application/grpc' })
  t.equal(await next(said), 'hello world')
  t.equal(await next(said), undefined)
  t.match(await trailers, OK)
  const { headers } = await upstream.received()
  t.match(headers, {
    ':path': '/fleet.Vehicles/Get',
    te: 'trailers',
    'content-type': 'application/grpc+proto',
    'grpc-timeout': '5S',
  })
})

grpc('both sides stream at a time, each message as it comes', async (t) => {
  const { call } = await start(t, async (exchange) => {
    answer(exchange)
    for await (const asked of messages(exchange.stream)) exchange.stream.write(message(`echo ${asked}`))
    exchange.stream.end()
  })
  const { stream, trailers, messages: said } = call('Chat')
  for (const word of ['one', 'two', 'three']) {
    stream.write(message(word))
    // The next one leaves when the answer to this one has come: nothing is held back on the way.
    t.equal(await next(said), `echo ${word}`)
  }
  stream.end()
  t.equal(await next(said), undefined)
  t.match(await trailers, OK)
})

grpc('a server streams to a client that has ended', async (t) => {
  const { call } = await start(t, (exchange) => {
    answer(exchange)
    for (let i = 0; i < 100; i++) exchange.stream.write(message(String(i)))
    exchange.stream.end()
  })
  const { stream, trailers, messages: said } = call('List')
  stream.end(message(''))
  const all: string[] = []
  for await (const one of said) all.push(one)
  t.same(
    all,
    Array.from({ length: 100 }, (_, i) => String(i)),
  )
  t.match(await trailers, OK)
})

// nginx says the length of what there is none of.
for (const length of [{}, { 'content-length': '0' }])
  grpc(
    `a failure without a message ${JSON.stringify(length)}: status and text are in the head, which ends the stream`,
    async (t) => {
      const { call } = await start(t, ({ stream }) => {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'none', ...length },
          { endStream: true },
        )
      })
      const { stream, head, messages: said } = call('Get')
      stream.end(message('x'))
      const [, flags] = (await once(stream, 'response')) as [IncomingHttpHeaders, number]
      t.equal(
        flags & constants.NGHTTP2_FLAG_END_STREAM,
        constants.NGHTTP2_FLAG_END_STREAM,
        'clients look for it (Trailers-Only)',
      )
      t.match(await head, { 'grpc-status': '5', 'grpc-message': 'none' })
      t.equal(await next(said), undefined)
    },
  )

grpc('a status comes behind a message whose length was said', async (t) => {
  const { call } = await start(t, ({ stream }) => {
    const bytes = message('first')
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'content-length': String(bytes.length) },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '13' }))
    stream.end(bytes)
  })
  const { stream, trailers, messages: said } = call('Get')
  stream.end(message('x'))
  t.equal(await next(said), 'first')
  t.equal(await next(said), undefined)
  t.match(await trailers, { 'grpc-status': '13' })
})

grpc('a failure behind messages: both come', async (t) => {
  const { call } = await start(t, (exchange) => {
    answer(exchange, { 'grpc-status': '13', 'grpc-message': 'broke%20off' })
    exchange.stream.end(message('first'))
  })
  const { stream, trailers, messages: said } = call('List')
  stream.end(message('x'))
  t.equal(await next(said), 'first')
  t.equal(await next(said), undefined)
  t.match(await trailers, { 'grpc-status': '13', 'grpc-message': 'broke%20off' })
})

grpc('what the gateway refuses or cannot reach, its client hears of as the status of a call', async (t) => {
  const { call } = await start(t, ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), {
    routes: {
      '/fleet.Vehicles/Get': { to: 'origin', compression: true },
      '/fleet.Vehicles/*': { to: 'origin', access: { by: ['key'] } },
    },
  })
  const refused = call('List')
  refused.stream.end(message('x'))
  const [head, flags] = (await once(refused.stream, 'response')) as [IncomingHttpHeaders, number]
  t.match(head, { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'x-request-id': String })
  t.match(head['grpc-message'], /^[^%]+ \(HR_ACCESS_REQUIRED\)$/)
  t.match(head['www-authenticate'], String)
  t.equal(head['content-length'], undefined)
  t.equal(flags & constants.NGHTTP2_FLAG_END_STREAM, constants.NGHTTP2_FLAG_END_STREAM)
  const broken = call('Get')
  broken.stream.end(message('x'))
  t.match(await broken.head, { ':status': 200, 'grpc-status': '14', 'grpc-message': /\(HR_UPSTREAM_RESET\)$/ })
})

grpc('a client that gives up its call resets it at the upstream, and the others go on', async (t) => {
  const { call, upstream } = await start(t, async (exchange) => {
    answer(exchange)
    for await (const asked of messages(exchange.stream)) exchange.stream.write(message(`echo ${asked}`))
    exchange.stream.end()
  })
  const one = call('Chat')
  const other = call('Chat')
  for (const { stream, messages: said } of [one, other]) {
    stream.write(message('a'))
    t.equal(await next(said), 'echo a')
  }
  const [first] = upstream.exchanges as [H2Exchange]
  const reset = once(first.stream, 'close')
  const chosen = upstream.exchanges.length
  one.stream.close(constants.NGHTTP2_CANCEL)
  await reset
  t.not(first.stream.rstCode, constants.NGHTTP2_NO_ERROR)
  other.stream.end(message('b'))
  t.equal(await next(other.messages), 'echo b')
  t.match(await other.trailers, OK)
  t.equal(upstream.exchanges.length, chosen, 'and nothing is asked again')
})

grpc('an upstream that resets a call resets it at the client, never a call that looks complete', async (t) => {
  const { call } = await start(t, async (exchange) => {
    answer(exchange)
    exchange.stream.write(message('first'))
    await next(messages(exchange.stream))
    exchange.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
  const { stream, messages: said } = call('Chat')
  t.equal(await next(said), 'first')
  stream.write(message('go on'))
  await t.rejects(next(said))
  t.not(stream.rstCode, constants.NGHTTP2_NO_ERROR)
})

grpc('an upstream that goes away lets calls finish, and new ones find another connection', async (t) => {
  const { call, upstream } = await start(t, async (exchange) => {
    answer(exchange)
    for await (const asked of messages(exchange.stream)) exchange.stream.write(message(`echo ${asked}`))
    exchange.stream.end()
  })
  const one = call('Chat')
  one.stream.write(message('a'))
  t.equal(await next(one.messages), 'echo a')
  const [session] = upstream.sessions
  // GOAWAY with the call in flight, which it lets finish (RFC 9113 §6.8).
  session?.close()
  one.stream.end(message('b'))
  t.equal(await next(one.messages), 'echo b')
  t.match(await one.trailers, OK)
  await upstream.sessionsClosed()
  const other = call('Chat')
  other.stream.end(message('c'))
  t.equal(await next(other.messages), 'echo c')
  t.match(await other.trailers, OK)
  t.equal(upstream.sessions.length, 2)
})
