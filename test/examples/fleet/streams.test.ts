import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import Fastify from 'fastify'
import { test } from 'tap'
import problemDocuments from '../../../examples/fleet/http/problem.ts'
import { PositionFeed } from '../../../examples/fleet/resources/position-feed.ts'
import { registerPositionStream } from '../../../examples/fleet/resources/position-stream.ts'
import { startFleet } from '../../../examples/fleet/upstream.ts'
import { NOW, startApi } from './start-api.ts'

const SECOND = NOW / 1000

/** Reads until `enough` holds of the text so far. */
async function readUntil(response: IncomingMessage, enough: (text: string) => boolean): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += chunk
    if (enough(text)) break
  }
  return text
}

async function open(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage]
  return response
}

const ids = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

void test('positions come as events with growing ids, and heartbeats between them', async (t) => {
  const api = await startApi(t)
  const response = await open(`${api.url}/telematics/stream?vehicles=1,2,3,4`)
  t.equal(response.headers['content-type'], 'text/event-stream')
  t.equal(response.headers['cache-control'], 'no-store')
  const text = await readUntil(response, (sofar) => sofar.split(': heartbeat').length > 2)
  response.destroy()
  t.match(text, /^retry: 2000\n\n/)
  const seconds = ids(text)
  t.same(
    seconds,
    seconds.map((_, index) => SECOND + 1 + index),
  )
  const data = /^data: (.+)$/m.exec(text)?.[1] ?? '[]'
  t.match((JSON.parse(data) as unknown[])[0], { latitude: Number, longitude: Number, engineOn: true })
})

void test('a client that comes back gets the seconds it missed, a minute of them at most', async (t) => {
  const api = await startApi(t)
  const short = await open(`${api.url}/telematics/stream`, { 'last-event-id': String(SECOND - 3) })
  t.same(ids(await readUntil(short, (text) => ids(text).length >= 3)).slice(0, 3), [SECOND - 2, SECOND - 1, SECOND])
  short.destroy()
  const long = await open(`${api.url}/telematics/stream`, { 'last-event-id': '1' })
  const first = ids(await readUntil(long, (text) => ids(text).length >= 1))[0] ?? 0
  long.destroy()
  t.ok(first >= SECOND - 60)
})

void test('the feed runs while somebody listens, and no longer', async (t) => {
  const feed = new PositionFeed({ now: () => NOW, tickMs: 1 })
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const heard: number[] = []
  await new Promise<void>((resolve) => {
    const other = feed.subscribe(() => undefined)
    const end = feed.subscribe((second) => {
      if (heard.push(second) < 3) return
      end()
      end()
      other()
      resolve()
    })
  })
  t.equal(feed.listeners, 0)
  t.equal(timers(), before)
  t.same(heard, [SECOND + 1, SECOND + 2, SECOND + 3])
  t.equal(feed.second, SECOND + 3, 'ids never go back')
})

void test('a client that leaves takes its subscription along', async (t) => {
  const feed = new PositionFeed({ now: () => NOW, tickMs: 5 })
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(problemDocuments)
  registerPositionStream(app, feed)
  const url = await app.listen({ port: 0 })
  const response = await open(`${url}/telematics/stream`)
  t.equal(feed.listeners, 1)
  response.destroy()
  await new Promise<void>((resolve) => {
    const end = feed.subscribe(() => {
      if (feed.listeners > 1) return // the close has not arrived yet: the test's own time limit bounds the wait
      end()
      resolve()
    })
  })
  t.equal(feed.listeners, 0)
})

void test('an open stream is ended, not cut, when the API closes', async (t) => {
  const fleet = await startFleet({ now: () => NOW, tickMs: 5 })
  const response = await open(`${fleet.url}/telematics/stream`)
  const text = readUntil(response, () => false)
  await fleet.close()
  t.match(await text, /^retry/)
})

void test('the export holds as many rows as asked, each with all its fields, the same each time', async (t) => {
  const api = await startApi(t)
  const response = await api.get('/exports/telematics.csv?rows=1201')
  t.match(response.headers.get('content-disposition'), 'telematics.csv')
  const text = await response.text()
  const lines = text.trimEnd().split('\n')
  t.equal(lines.length, 1202)
  t.ok(lines.every((line) => line.split(',').length === 8))
  t.equal(await (await api.get('/exports/telematics.csv?rows=1201')).text(), text)
})

void test('the export is made as fast as it is taken', async (t) => {
  const api = await startApi(t)
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
  const response = await open(`${api.url}/exports/telematics.csv?rows=5000000`)
  response.pause()
  // The slowest reader there is: while it reads nothing, the server answers others at once.
  for (let i = 0; i < 20; i++) await (await api.get('/health')).text()
  const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
  response.destroy()
  t.ok(after - before < 60 * 2 ** 20, `${after - before} bytes for an export of 290 MB`)
})

void test('a report takes the time that it is given, up to its limit', async (t) => {
  const api = await startApi(t)
  const response = await api.get('/reports/utilisation?delay=0')
  t.match(response.headers.get('cache-control'), 's-maxage')
  const { depots } = (await response.json()) as { depots: { vehicles: number; utilisation: number }[] }
  t.equal(depots.length, 6)
  t.ok(depots.every(({ utilisation }) => utilisation > 0 && utilisation <= 1))
})

void test('chaos answers with the status asked for, or cuts the connection', async (t) => {
  const api = await startApi(t)
  for (const status of [200, 204, 302, 418, 429, 500, 503, 599]) {
    t.equal((await api.get(`/chaos/${status}`)).status, status)
  }
  t.equal((await api.get('/chaos/503')).headers.get('retry-after'), '5')
  t.equal((await api.get('/chaos/302')).headers.get('location'), '/vehicles?limit=3')
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
  socket.write('GET /chaos/reset HTTP/1.1\r\nhost: fleet\r\n\r\n')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
})
