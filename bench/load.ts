/** The load: autocannon in a process of its own, on the origin's core. It runs one request of work at a time. */
import autocannon from 'autocannon'
import { announce, tell } from './peers/peer.ts'

/** A fixed amount of work, so that CPU time divides by an exact number of requests. */
export interface LoadOrder {
  type: 'load'
  url: string
  method: 'GET' | 'POST'
  body: string | null
  connections: number
  requests: number
}

/** What came of it. */
export interface LoadResult {
  /** Answers with a 2xx status. */
  succeeded: number
  /** Connection errors, timeouts and other statuses. */
  failed: number
  /** Bytes received, heads included. */
  bytes: number
  /** From the first connection to the last answer. */
  seconds: number
  p50Ms: number
  p99Ms: number
}

/** autocannon looks this often whether it is done; the last answer's time is ours. */
const POLL_MS = 25

async function load(order: LoadOrder): Promise<LoadResult> {
  const { url, method, connections, requests } = order
  const latencies = new Float64Array(requests)
  let answered = 0
  let bytes = 0
  let endedAt = 0
  const startedAt = performance.now()
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const options: autocannon.Options & { sampleInt: number } = {
      url,
      method,
      connections,
      amount: requests,
      headers: order.body === null ? {} : { 'content-type': 'application/json' },
      sampleInt: POLL_MS,
      ...(order.body === null ? {} : { body: order.body }),
    }
    const instance = autocannon(options, (error: Error | null, outcome) => (error ? reject(error) : resolve(outcome)))
    instance.on('response', (_client, _status, responseBytes, milliseconds) => {
      latencies[answered++] = milliseconds
      bytes += responseBytes
      if (answered === requests) endedAt = performance.now()
    })
  })
  const sorted = latencies.subarray(0, answered).sort()
  const at = (share: number): number => sorted[Math.min(answered - 1, Math.ceil(share * answered) - 1)] ?? Number.NaN
  return {
    succeeded: result['2xx'],
    failed: result.non2xx + result.errors,
    bytes,
    seconds: ((endedAt || performance.now()) - startedAt) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

process.on('message', (order: LoadOrder | { type: string }) => {
  if (!('requests' in order)) return
  load(order).then(tell, (error: unknown) => {
    console.error('The load failed:', error)
    process.exit(1)
  })
})
announce({ url: null, pids: [process.pid] })
