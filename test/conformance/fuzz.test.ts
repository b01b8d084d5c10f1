import fc from 'fast-check'
import { test, type Test } from 'tap'
import { gatewayBefore, type Gateway } from '../helper.ts'
import { data, frame, headers, requestFields } from '../raw-h2.ts'
import { rawSocket } from '../raw-client.ts'
import { standstill } from '../signal.ts'
import type { Upstream } from '../upstream-server.ts'

const RUNS = 400

/**
 * Sends bytes, reads until nothing more comes, then sends FIN: after that the gateway must close, whatever was sent.
 * (FIN at once would have Node's server drop the answer.)
 */
async function answerTo(t: Test, gateway: Gateway, pieces: readonly Buffer[], patient = false): Promise<string> {
  const socket = await rawSocket(t, { port: gateway.ports.cleartext })
  const chunks: Buffer[] = []
  let events = 0
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (chunk: Buffer) => {
    events++
    chunks.push(chunk)
  })
  socket.on('error', () => undefined) // a reset is an answer too
  for (const piece of pieces) {
    if (socket.writable) await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
  }
  if (!patient) {
    await Promise.race([closed, standstill(() => events, 3)])
    socket.end()
  }
  await closed
  return Buffer.concat(chunks).toString('latin1')
}

/** Status codes of an exchange; the upstream's bodies hold no status line. */
const statuses = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]))

const VALID = [
  'GET /a/b?x=1 HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  'PUT /%61/../b HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
]
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  ',',
  ';',
  '/',
  '\\',
  '%',
  '%2e',
  '..',
  '\x7f',
  '\xff',
  'Host: b\r\n',
]
const MORE = [
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'chunked',
  '0\r\n\r\n',
  'HTTP/1.1',
  'CONNECT',
  '*',
  '\t',
]

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.integer({ min: 0, max: 6 }),
  put: fc.oneof(
    fc.constantFrom(...TOKENS, ...MORE),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  ),
})
const mutated = fc
  .tuple(fc.constantFrom(...VALID), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([text, list]) =>
    list.reduce((current, { at, cut, put }) => {
      const index = Math.floor(at * current.length)
      return current.slice(0, index) + put + current.slice(index + cut)
    }, text),
  )

/** No 5xx (the upstream answers everything with 200), and the gateway still serves. */
async function holds(t: Test, gateway: Gateway, upstream: Upstream, pieces: readonly Buffer[]): Promise<void> {
  const answer = await answerTo(t, gateway, pieces)
  const own = statuses(answer).filter((status) => status >= 500 && status !== 501 && status !== 505)
  if (own.length > 0) throw new Error(`a ${own[0]} of our own making: ${answer.slice(0, 400)}`)
  const good = await answerTo(t, gateway, [Buffer.from(VALID[0] ?? '')], true)
  if (!good.startsWith('HTTP/1.1 200 ')) throw new Error(`a good request is answered ${good.slice(0, 100)}`)
  upstream.requests.length = 0
}

async function fuzz<T>(t: Test, arbitrary: fc.Arbitrary<T>, toPieces: (value: T) => readonly Buffer[]): Promise<void> {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const property = fc.asyncProperty(arbitrary, (value) => holds(t, gateway, upstream, toPieces(value)))
  await fc.assert(property, { numRuns: RUNS, timeout: 60_000, interruptAfterTimeLimit: 12_000 })
  t.pass('no counterexample')
}

void test('random bytes never crash the gateway, never earn a 5xx, and the connection ends', async (t) => {
  await fuzz(t, fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 4 }), (chunks) =>
    chunks.map((chunk) => Buffer.from(chunk)),
  )
})

void test('mutated requests never crash the gateway, never earn a 5xx, and the connection ends', async (t) => {
  await fuzz(t, mutated, (text) => [Buffer.from(text, 'latin1')])
})

void test('mutated requests in pieces are read as if they came whole', async (t) => {
  await fuzz(t, fc.tuple(mutated, fc.integer({ min: 1, max: 40 })), ([text, size]) => {
    const bytes = Buffer.from(text, 'latin1')
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
  })
})

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const anyFrame = fc.oneof(
  fc
    .tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 5 }),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, Buffer.from(payload))),
  fc.integer({ min: 0, max: 4 }).map((index) => headers(index * 2 + 1, requestFields())),
  fc
    .integer({ min: 0, max: 4 })
    .map((index) => headers(index * 2 + 1, requestFields([], { ':method': 'POST' }), false)),
  fc.integer({ min: 0, max: 9 }).map((stream) => data(stream, 'body', stream % 2 === 1)),
)
void test('random HTTP/2 frames never crash the gateway, and the connection ends', async (t) => {
  await fuzz(t, fc.array(anyFrame, { maxLength: 12 }), (frames) => [PREFACE, frame(4, 0, 0), ...frames])
})
