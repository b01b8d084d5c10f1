import type { Scenario } from './scenario.ts'

/** The usual API answer: per-request cost decides. */
export const json1k: Scenario = {
  name: 'json-1k',
  title: 'GET, 1 KiB of JSON',
  method: 'GET',
  path: '/json/1k',
  body: null,
  answerBytes: 1024,
  quick: true,
  targets: { 'headrace-lean': 1.8, headrace: 1.4 },
}
