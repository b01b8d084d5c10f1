import { ALL, entrants, REFERENCE } from './proxied.ts'
import type { Request, Scenario } from './scenario.ts'

export const proxiedJson: Request = {
  name: 'requests',
  method: 'GET',
  path: '/json/1k',
  fields: {},
  body: null,
  answer: { status: 200, bodyBytes: 1024 },
  reachesOrigin: true,
}

/** The usual API answer: per-request cost decides. */
export const json1k: Scenario = {
  name: 'json-1k',
  title: 'GET, 1 KiB of JSON',
  entrants: entrants(ALL, proxiedJson),
  reference: REFERENCE,
  targets: [
    { entrant: 'headrace-lean', over: REFERENCE, atLeast: 1.8 },
    { entrant: 'headrace', over: REFERENCE, atLeast: 1.4 },
  ],
  quick: true,
}
