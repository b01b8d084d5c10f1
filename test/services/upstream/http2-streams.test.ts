import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { Http2Streams } from '../../../services/upstream/http2-streams.ts'
import { data, frame, FRAME, headers, RawH2, rst } from '../../raw-h2.ts'

const OK: [string, string][] = [[':status', '200']]

/** A session of Node's own over a connection, and the other end of it in frames. */
async function session(
  t: Test,
  watch: (socket: Socket) => void,
  mute = false,
): Promise<{ client: ClientHttp2Session; peer: RawH2 }> {
  const accepted = Promise.withResolvers<RawH2>()
  const server = createServer((socket) => {
    if (mute) {
      // SETTINGS, and then nothing: also no answer to a PING.
      socket.resume().on('error', () => undefined)
      socket.write(frame(FRAME.settings, 0, 0))
    } else accepted.resolve(new RawH2(socket, 'server'))
    t.teardown(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  watch(socket)
  const client = connect('http://127.0.0.1', { createConnection: () => socket })
  t.teardown(() => client.destroy())
  return { client, peer: mute ? (undefined as never) : await accepted.promise }
}

function streams(t: Test, pingLimitMs = 60_000): Http2Streams {
  const made = new Http2Streams({ pingLimitMs })
  t.teardown(() => made.close())
  return made
}

for (const code of [0, 8]) {
  void test(`a stream of a watched connection that is reset with ${code} fails instead of ending`, async (t) => {
    const { client, peer } = await session(t, (socket) => streams(t).watch(socket, 'api'))
    const stream = client.request({ ':path': '/' })
    await peer.request(1)
    peer.send(headers(1, OK, false), data(1, 'begun'))
    const failed = once(stream, 'error')
    stream.on('data', () => peer.send(rst(1, code)))
    const [error] = (await failed) as [Error & { code: string }]
    t.equal(error.code, 'HR_UPSTREAM_TRUNCATED')
    t.match(error.message, /'api'/)
  })
}

void test('a stream that has ended does not fail, whatever it is reset with', async (t) => {
  const { client, peer } = await session(t, (socket) => streams(t).watch(socket, 'api'))
  const stream = client.request({ ':path': '/', ':method': 'POST' })
  stream.on('error', (error) => t.fail('it failed', { error }))
  await peer.request(1)
  peer.send(headers(1, OK, false), data(1, 'whole', true), rst(1, 0))
  t.equal((await stream.toArray()).join(''), 'whole')
})

void test("other connections of the process keep Node's ways", async (t) => {
  streams(t)
  const { client, peer } = await session(t, () => undefined)
  const stream = client.request({ ':path': '/' })
  stream.on('error', (error) => t.fail('it failed', { error }))
  const close = stream.close
  await peer.request(1)
  t.equal(stream.close, close)
  peer.send(headers(1, OK, false), data(1, 'begun'), rst(1, 0))
  t.equal((await stream.toArray()).join(''), 'begun')
})

void test('nobody is watched after close', async (t) => {
  const made = new Http2Streams({ pingLimitMs: 60_000 })
  const { client, peer } = await session(t, (socket) => made.watch(socket, 'api'))
  made.close()
  const stream = client.request({ ':path': '/' })
  stream.on('error', (error) => t.fail('it failed', { error }))
  await peer.request(1)
  peer.send(headers(1, OK, false), data(1, 'begun'), rst(1, 0))
  t.equal((await stream.toArray()).join(''), 'begun')
})

void test('a request that is given up is reset with CANCEL, and half its body is not made a whole one', async (t) => {
  const { client, peer } = await session(t, (socket) => streams(t).watch(socket, 'api'))
  const stream = client.request({ ':path': '/', ':method': 'POST' })
  stream.on('error', () => undefined) // it is destroyed
  stream.write('half')
  await peer.until(() => peer.frames.find(({ type }) => type === FRAME.data))
  const closed = Promise.withResolvers<void>()
  stream.close(0, () => closed.resolve())
  t.equal(await peer.over(1), 'reset')
  t.equal(peer.frames.find(({ type }) => type === FRAME.reset)?.payload.readUInt32BE(), 8)
  await closed.promise
})

void test('a peer that answers the PING after a request was given up keeps its connection', async (t) => {
  const { client, peer } = await session(t, (socket) => streams(t).watch(socket, 'api'))
  const seen = (type: number, count: number): Promise<true> =>
    peer.until(() => (peer.frames.filter((one) => one.type === type).length === count ? true : undefined))
  for (const turn of [1, 2]) {
    const stream = client.request({ ':path': '/' })
    stream.on('error', () => undefined) // it is destroyed
    await peer.request(turn)
    stream.close()
    await seen(FRAME.reset, turn)
    await seen(FRAME.ping, 2 * turn - 1)
    // The answer to a PING of the test's own comes behind the one to that.
    await new Promise((resolve) => client.ping(resolve))
  }
  t.notOk(client.destroyed)
})

void test('a peer that does not answer it loses the connection', async (t) => {
  const { client } = await session(t, (socket) => streams(t, 50).watch(socket, 'api'), true)
  const failed = once(client, 'error')
  const closed = new Promise((resolve) => client.once('close', resolve))
  const waiting = client.request({ ':path': '/waits' })
  const waitingFailed = once(waiting, 'error')
  const stream = client.request({ ':path': '/' })
  stream.on('error', () => undefined) // it is destroyed
  stream.close()
  for (const event of [failed, waitingFailed]) {
    const [error] = (await event) as [Error & { code: string }]
    t.equal(error.code, 'HR_UPSTREAM_RESET')
  }
  await closed
})
