import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  optimal,
  required,
  store,
  storeAndWait,
} from '../case.ts'

const DAY = 24 * 60 * 60
const bodyOf = (status: number): { body?: string } => (status === 204 ? { body: '' } : {})

const heuristic = (status: number, more: readonly Field[] = []): Case['steps'] => [
  store([['Last-Modified', at(-DAY)], ['Date', at(0)], ...more], { answer: { status, ...bodyOf(status) } }),
]

/** How long an answer is fresh that does not say so (RFC 9111 §4.2.2). */
export const heuristics: readonly Case[] = [
  ...[200, 203, 204, 404, 405, 410, 414, 501].map((status) =>
    optimal(`heuristic/${status}`, '9110 §15.1', `reuses ${status} by its Last-Modified`, [
      ...heuristic(status),
      again('cache', { origin: { status, ...bodyOf(status) } }),
    ]),
  ),
  ...[201, 202, 403, 502, 503, 504, 599].map((status) =>
    required(`heuristic/${status}`, '9110 §15.1', `does not reuse ${status} by its Last-Modified`, [
      ...heuristic(status),
      again('origin', { origin: { status } }),
    ]),
  ),
  optimal('heuristic/public', '9111 §5.2.2.9', 'reuses any status by its Last-Modified where it is public', [
    ...heuristic(599, [cacheControl('public')]),
    again('cache', { origin: { status: 599 } }),
  ]),
  ...[5, 10, 30, 60, 300, 600, 1200, 1800, 3600, DAY / 2, DAY].map((seconds) =>
    check(`heuristic/changed-${seconds}s-ago`, '9111 §4.2.2', `is fresh after 3 s what was changed ${seconds} s ago`, [
      storeAndWait([
        ['Last-Modified', at(-seconds)],
        ['Date', at(0)],
      ]),
      again('cache'),
    ]),
  ),
]

const REASONS = [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599]

/** Any final status may be stored where its lifetime is given (RFC 9111 §3). */
export const statuses: readonly Case[] = [
  ...REASONS.map((status) =>
    optimal(`status/${status}-fresh`, '9111 §3', `reuses a fresh ${status}`, [
      storeAndWait([cacheControl('max-age=100000'), ['Last-Modified', at(0)], ['Date', at(0)]], {
        answer: { status, ...bodyOf(status) },
      }),
      again('cache', { origin: { status, ...bodyOf(status) } }),
    ]),
  ),
  ...REASONS.map((status) =>
    required(`status/${status}-stale`, '9111 §4.2', `does not reuse a stale ${status}`, [
      store(
        [
          ['Expires', at(-5000)],
          ['Last-Modified', at(-100_000)],
          ['Date', at(0)],
        ],
        { answer: { status, ...bodyOf(status) } },
      ),
      again('origin'),
    ]),
  ),
  required('status/must-understand-unknown', '9111 §5.2.2.3', 'does not store an unknown status with must-understand', [
    store([cacheControl('max-age=3600, no-store, must-understand')], { answer: { status: 599 } }),
    again('origin'),
  ]),
  optimal('status/must-understand-known', '9111 §5.2.2.3', 'stores a known status with must-understand over no-store', [
    store([cacheControl('max-age=3600, no-store, must-understand')]),
    again('cache'),
  ]),
]
