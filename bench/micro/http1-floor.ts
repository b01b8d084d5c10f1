/**
 * `node bench/micro/http1-floor.ts`: what a small answer to a browser costs in node:http itself, as it comes and with what
 * services/listener does about it. 64 kept-alive connections, the load in another process; CPU µs a request, interleaved.
 */
import autocannon from 'autocannon'
import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Http1Request } from '../../services/listener/http1-request.ts'

const ROUNDS = 9
const REQUESTS = 20_000
const BODY = 'x'.repeat(1_024)
const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`
const FIELDS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en-GB,en;q=0.9',
  'accept-encoding': 'gzip, deflate, br, zstd',
  cookie: 'sid=0123456789abcdef; theme=dark',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin',
  'cache-control': 'max-age=0',
}

/** In the other process: as many requests as asked for. */
async function answerOrders(): Promise<void> {
  process.on('disconnect', () => process.exit())
  for await (const [url] of on(process, 'message')) {
    const options = { url, connections: 64, amount: REQUESTS, headers: FIELDS, sampleInt: 25 }
    const { non2xx, errors } = await autocannon(options as autocannon.Options)
    process.send?.(non2xx + errors)
  }
}

const common: ServerOptions = { optimizeEmptyRequests: true, requireHostHeader: false }
const ways: Record<string, ServerOptions> = {
  'node:http': { ...common, keepAliveTimeout: 75_000 },
  'no keep-alive timer': { ...common, keepAliveTimeout: 0 },
  'and headers on demand': { ...common, keepAliveTimeout: 0, IncomingMessage: Http1Request },
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request instanceof Http1Request) request.begun = true
  ;(response as unknown as { _header: string })._header = HEAD
  response.end(BODY, 'latin1')
}

if (process.send !== undefined) await answerOrders()

const load = fork(fileURLToPath(import.meta.url))

async function fire(url: string): Promise<number> {
  const before = process.cpuUsage()
  load.send(url)
  const [failed] = (await once(load, 'message')) as [number]
  if (failed > 0) throw new Error(`${failed} requests failed`)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / REQUESTS
}

const servers = Object.entries(ways).map(([name, options]) => {
  const server = createServer(options, answer).listen(0, '127.0.0.1')
  return { name, server, micros: [] as number[] }
})
await Promise.all(servers.map(({ server }) => once(server, 'listening')))
for (let round = -1; round < ROUNDS; round++) {
  for (const { server, micros } of servers) {
    const { port } = server.address() as AddressInfo
    const spent = await fire(`http://127.0.0.1:${port}/`)
    if (round >= 0) micros.push(spent)
  }
}
for (const { name, server, micros } of servers) {
  const sorted = micros.toSorted((a, b) => a - b)
  const [least = 0, median = 0] = [sorted[0], sorted[ROUNDS >> 1]]
  console.log(`${name.padEnd(22)} ${median.toFixed(1)} µs a request (least ${least.toFixed(1)})`)
  server.closeAllConnections()
  server.close()
}
load.disconnect()
