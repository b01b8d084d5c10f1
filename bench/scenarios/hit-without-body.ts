import { caches } from '../peers/catalogue.ts'
import { hit, overHttp1 } from './cached.ts'
import type { Request, Scenario } from './scenario.ts'

const notModified: Request = {
  ...hit,
  fields: { ...hit.fields, 'if-none-match': '"bench"' },
  answer: { status: 304, bodyBytes: 0 },
}
const head: Request = { ...hit, method: 'HEAD', answer: { status: 200, bodyBytes: 0 } }
const peer = caches.headraceQuiet

/** Headrace against itself: what sends less is to cost no more. 5 % are left to noise. */
export const hitWithoutBody: Scenario = {
  name: 'hit-without-body',
  title: '304 and HEAD from the cache, beside a hit (headrace, log off)',
  entrants: [
    { name: 'get', detail: '200 with 1 KiB', peer, traffic: overHttp1(hit) },
    { name: 'not-modified', detail: 'GET with If-None-Match, 304', peer, traffic: overHttp1(notModified) },
    { name: 'head', detail: '200', peer, traffic: overHttp1(head) },
  ],
  reference: 'get',
  targets: ['not-modified', 'head'].map((entrant) => ({ entrant, over: 'get', atLeast: 0.95 })),
  quick: false,
}
