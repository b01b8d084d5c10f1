/** What the scenarios have in common in which every request goes to the origin. */
import { type Peer, proxies } from '../peers/catalogue.ts'
import type { Entrant, Request, Traffic } from './scenario.ts'

/** In the order of the table. */
const DETAILS = {
  fastifyHttpProxy: '',
  headraceLean: 'metrics and log off',
  headrace: 'defaults: metrics and log on',
  headraceQuiet: 'metrics on, log off',
  headracePlugin: 'in Fastify, metrics off',
  bareDispatch: 'node:http + undici dispatch, writeHead(array)',
  nginx: 'one worker',
} satisfies Record<keyof typeof proxies, string>

/** Those whose figures have a target, and the native peer. */
export const CHIEF = ['fastifyHttpProxy', 'headraceLean', 'headrace', 'nginx'] as const

/** All of them. */
export const ALL = Object.keys(DETAILS) as (keyof typeof proxies)[]

export const REFERENCE = proxies.fastifyHttpProxy.name

/** 64 connections, one request at a time on each. */
const proxied = (request: Request): Traffic => ({
  client: 'autocannon',
  connections: 64,
  streams: 1,
  requests: [request],
})

/** These peers, each with the same request to send. */
export function entrants(names: readonly (keyof typeof proxies)[], request: Request): Entrant[] {
  return names.map((name) => {
    const peer: Peer = proxies[name]
    return { name: peer.name, detail: DETAILS[name], peer, traffic: proxied(request) }
  })
}
