import type { Scenario } from './scenario.ts'

/** An upload: the request's body is streamed to the upstream. Reported without a target. */
export const post1k: Scenario = {
  name: 'post-1k',
  title: 'POST of 1 KiB of JSON, 204',
  method: 'POST',
  path: '/sink',
  body: JSON.stringify({ note: 'x'.repeat(1024 - '{"note":""}'.length) }),
  answerBytes: 0,
  quick: false,
  targets: {},
}
