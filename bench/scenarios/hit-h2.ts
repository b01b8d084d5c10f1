import { caches, type Peer } from '../peers/catalogue.ts'
import { hit } from './cached.ts'
import type { Entrant, Scenario } from './scenario.ts'

/** 64 requests under way, as 64 clients with one each have them, and as 8 browsers with 8 each. */
const SHAPES = [
  { suffix: '', connections: 64, streams: 1 },
  { suffix: '-multiplexed', connections: 8, streams: 8 },
]

const entrants = (name: string, peer: Peer): Entrant[] =>
  SHAPES.map(({ suffix, connections, streams }) => ({
    name: name + suffix,
    detail: `${connections} connections × ${streams}`,
    peer,
    traffic: { client: 'http2', connections, streams, requests: [hit] },
  }))

/** The same over HTTP/2 and TLS. */
export const hitH2: Scenario = {
  name: 'hit-h2',
  title: 'Cache hit over HTTP/2 and TLS, 1 KiB of JSON (headrace: log off; bare: node:http2, core stream, no cache)',
  entrants: [
    ...entrants('nginx', caches.nginx),
    ...entrants('headrace-quiet', caches.headraceQuiet),
    ...entrants('bare', caches.bare),
  ],
  reference: 'nginx',
  targets: SHAPES.map(({ suffix }) => ({
    entrant: `headrace-quiet${suffix}`,
    over: `nginx${suffix}`,
    atLeast: 0.75,
  })),
  quick: false,
}
