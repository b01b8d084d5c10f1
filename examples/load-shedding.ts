/**
 * `npx node examples/load-shedding.ts`: an upstream that works at four requests at a time behind a gateway that finds that out, and
 * a crowd that asks for three times as much. Prints what became of it, once a second, for five seconds.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveConfig, serve } from '../index.ts'

const WORKERS = 4
const WORK_MS = 20
const PER_SECOND = (3 * WORKERS * 1000) / WORK_MS

const waiting: (() => void)[] = []
let busy = 0
const work = (): void => {
  while (busy < WORKERS && waiting.length > 0) {
    const answer = waiting.shift()
    busy++
    setTimeout(() => {
      busy--
      answer?.()
      work()
    }, WORK_MS)
  }
}
const upstream = createServer((_request, response) => {
  waiting.push(() => response.end('done'))
  work()
})
await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
const { port } = upstream.address() as AddressInfo

const gateway = await serve(
  resolveConfig({
    listen: { host: '127.0.0.1', port: 0 },
    admin: false,
    log: { level: 'silent' },
    pressure: { maxEventLoopDelay: '100ms' },
    upstreams: { slow: { targets: [`http://127.0.0.1:${port}`], concurrency: true } },
    routes: { '/*': { to: 'slow' }, '/search/*': { to: 'slow', priority: 'low' } },
  }),
)
const url = gateway.addresses[0]?.url ?? ''

const seen = { served: 0, refused: 0, slowestMs: 0 }
async function ask(): Promise<void> {
  const askedAt = performance.now()
  const { status } = await fetch(url)
  if (status === 200) {
    seen.served++
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - askedAt)
  } else seen.refused++
}

const asking = setInterval(() => {
  for (let request = 0; request < PER_SECOND / 100; request++) ask().catch(() => undefined)
}, 10)
const told = setInterval(() => {
  console.log(`${seen.served} served, the slowest in ${Math.round(seen.slowestMs)} ms; ${seen.refused} turned away`)
  Object.assign(seen, { served: 0, refused: 0, slowestMs: 0 })
}, 1000)
setTimeout(() => {
  clearInterval(asking)
  clearInterval(told)
  upstream.closeAllConnections()
  upstream.close()
  void gateway.close()
}, 5500)
