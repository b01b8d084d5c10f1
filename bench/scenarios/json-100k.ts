import type { Scenario } from './scenario.ts'

/** A large answer: moving bytes decides, and backpressure sets in. */
export const json100k: Scenario = {
  name: 'json-100k',
  title: 'GET, 100 KiB of JSON',
  method: 'GET',
  path: '/json/100k',
  body: null,
  answerBytes: 102_400,
  quick: true,
  targets: { 'headrace-lean': 1.3, headrace: 1.3 },
}
