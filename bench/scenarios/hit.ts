import { caches } from '../peers/catalogue.ts'
import { hit as request, overHttp1 } from './cached.ts'
import type { Scenario } from './scenario.ts'

const traffic = overHttp1(request)

/** What a cache is bought for. */
export const hit: Scenario = {
  name: 'hit',
  title: 'Cache hit, 1 KiB of JSON, fields of a browser',
  entrants: [
    { name: 'nginx', detail: 'proxy_cache as installed', peer: caches.nginx, traffic },
    { name: 'nginx-sendfile-off', detail: '', peer: caches.nginxSendfileOff, traffic },
    { name: 'varnish', detail: '', peer: caches.varnish, traffic },
    { name: 'headrace-quiet', detail: 'metrics on, log off', peer: caches.headraceQuiet, traffic },
    { name: 'headrace-early', detail: 'cache.early, log off', peer: caches.headraceEarly, traffic },
    { name: 'headrace', detail: 'defaults: metrics and log on', peer: caches.headrace, traffic },
    { name: 'bare', detail: 'node:http, writeHead(array), no cache', peer: caches.bare, traffic },
    { name: 'undici', detail: 'interceptor behind @fastify/reply-from', peer: caches.undici, traffic },
    { name: 'undici-kept', detail: 'the same, connections kept open', peer: caches.undiciKept, traffic },
  ],
  reference: 'nginx',
  targets: ['headrace-quiet', 'headrace-early'].flatMap((entrant) => [
    { entrant, over: 'nginx', atLeast: 0.9 },
    { entrant, over: 'nginx-sendfile-off', atLeast: 0.7 },
    { entrant, over: 'varnish', atLeast: 1.3 },
    { entrant, over: 'undici', atLeast: 15 },
  ]),
  quick: true,
}
