import { CHIEF, entrants, REFERENCE } from './proxied.ts'
import type { Scenario } from './scenario.ts'

/** An upload: the request's body is streamed to the upstream. Reported without a target. */
export const post1k: Scenario = {
  name: 'post-1k',
  title: 'POST of 1 KiB of JSON, 204',
  entrants: entrants(CHIEF, {
    name: 'requests',
    method: 'POST',
    path: '/sink',
    fields: { 'content-type': 'application/json' },
    body: JSON.stringify({ note: 'x'.repeat(1024 - '{"note":""}'.length) }),
    answer: { status: 204, bodyBytes: 0 },
    reachesOrigin: true,
  }),
  reference: REFERENCE,
  targets: [],
  quick: false,
}
