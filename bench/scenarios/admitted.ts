/** What it costs to know who calls and how often: an API key and a limit by it, before an upstream and before the cache. */
import { ADMITTED_KEY, admitted } from '../peers/catalogue.ts'
import { hit as cached, overHttp1 } from './cached.ts'
import { proxiedJson } from './json-1k.ts'
import type { Request, Scenario } from './scenario.ts'

const withKey = (request: Request): Request => ({
  ...request,
  fields: { ...request.fields, 'x-api-key': ADMITTED_KEY },
})

/** At most 15 % of a proxied request. */
export const admittedJson1k: Scenario = {
  name: 'admitted-json-1k',
  title: 'GET, 1 KiB of JSON: with a key and a limit, and without',
  entrants: [
    { name: 'open', detail: 'metrics on, log off', peer: admitted.open, traffic: overHttp1(withKey(proxiedJson)) },
    {
      name: 'with-key',
      detail: 'the same, with access and rateLimit',
      peer: admitted.proxy,
      traffic: overHttp1(withKey(proxiedJson)),
    },
  ],
  reference: 'open',
  targets: [{ entrant: 'with-key', over: 'open', atLeast: 0.87 }],
  quick: false,
}

/** At most 3 µs of a hit, which takes some 12. */
export const admittedHit: Scenario = {
  name: 'admitted-hit',
  title: 'Cache hit, 1 KiB of JSON: with a key and a limit, and without',
  entrants: [
    { name: 'open-hit', detail: 'metrics on, log off', peer: admitted.openCache, traffic: overHttp1(withKey(cached)) },
    {
      name: 'with-key-hit',
      detail: 'the same, with access and rateLimit',
      peer: admitted.cache,
      traffic: overHttp1(withKey(cached)),
    },
  ],
  reference: 'open-hit',
  targets: [{ entrant: 'with-key-hit', over: 'open-hit', atLeast: 0.8 }],
  quick: false,
}
