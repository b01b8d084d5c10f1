import { caches } from '../peers/catalogue.ts'
import { hit, overHttp1 } from './cached.ts'
import type { Request, Scenario } from './scenario.ts'

const miss: Request = { ...hit, name: 'misses', unique: true, path: `${hit.path}/`, reachesOrigin: true }
const traffic = overHttp1(hit, miss)

/** Each connection asks for what is stored and for what is new by turns; what is new is stored and evicts. No target. */
export const hitMiss: Scenario = {
  name: 'hit-miss',
  title: 'Cache hits and misses by turns, 1 KiB of JSON',
  entrants: [
    { name: 'nginx', detail: 'proxy_cache as installed', peer: caches.nginx, traffic },
    { name: 'headrace-quiet', detail: 'metrics on, log off', peer: caches.headraceQuiet, traffic },
  ],
  reference: 'nginx',
  targets: [],
  quick: false,
}
