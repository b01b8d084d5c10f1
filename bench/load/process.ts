/**
 * The load: a process of its own, on the origin's core. It is told what to send and runs up; then the work that counts
 * is measured on the same connections: by then both sides have opened them, and TLS is agreed on.
 */
import { announce, tell } from '../peers/peer.ts'
import type { Client, Traffic } from '../scenarios/scenario.ts'
import { openAutocannon } from './autocannon.ts'
import type { LoadClient, OpenClient } from './client.ts'
import { openHttp1 } from './http1.ts'
import { openHttp2 } from './http2.ts'

/** Opens connections and runs up; answered with what came of it. */
export interface Prepare {
  type: 'prepare'
  url: string
  traffic: Traffic
  requests: number
}

/** A fixed amount of work, so that CPU time divides by an exact number of requests; the connections end with it. */
export interface Fire {
  type: 'fire'
  requests: number
}

const OPEN: Readonly<Record<Client, OpenClient>> = {
  autocannon: openAutocannon,
  http1: openHttp1,
  http2: openHttp2,
}

let client: LoadClient | null = null

async function obey(order: Prepare | Fire): Promise<void> {
  if (order.type === 'prepare') {
    client = await OPEN[order.traffic.client](new URL(order.url), order.traffic)
    return tell(await client.run(order.requests))
  }
  if (client === null) throw new Error('There is nothing to fire: prepare comes first')
  tell(await client.run(order.requests))
  client.close()
}

process.on('message', (order: Prepare | Fire) => {
  obey(order).catch((error: unknown) => {
    console.error('The load failed:', error)
    process.exit(1)
  })
})
announce({ url: null, secureUrl: null, pids: [process.pid] })
