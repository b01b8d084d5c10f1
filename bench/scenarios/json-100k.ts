import { CHIEF, entrants, REFERENCE } from './proxied.ts'
import type { Scenario } from './scenario.ts'

/** A large answer: moving bytes decides, and backpressure sets in. */
export const json100k: Scenario = {
  name: 'json-100k',
  title: 'GET, 100 KiB of JSON',
  entrants: entrants(CHIEF, {
    name: 'requests',
    method: 'GET',
    path: '/json/100k',
    fields: {},
    body: null,
    answer: { status: 200, bodyBytes: 102_400 },
    reachesOrigin: true,
  }),
  reference: REFERENCE,
  targets: [
    { entrant: 'headrace-lean', over: REFERENCE, atLeast: 1.3 },
    { entrant: 'headrace', over: REFERENCE, atLeast: 1.3 },
  ],
  quick: false,
}
