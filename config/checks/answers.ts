import { mockObject } from '../../services/mock/options.ts'
import { isToken } from '../../services/options/token.ts'
import type { RouteInput } from '../../services/routing/options.ts'
import { mainSide } from '../../services/split/options.ts'
import type { Settings } from '../schema.ts'
import type { CheckContext, Say } from './context.ts'

/** Each route is answered by somebody, and what the gateway says by itself can be sent. */
export function checkAnswers({ settings, report }: CheckContext): void {
  for (const [key, route] of Object.entries(settings.routes)) {
    if (report.touches('routes', key, 'to') || report.touches('routes', key, 'answer')) continue
    const say: Say = (path, message) => report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, ...path], message)
    if (route.answer === undefined) {
      if (route.mock !== false) checkMock(route.mock, mainUpstream(route, settings), say)
      else if (route.to === undefined) {
        const message = "'to' is missing: the name of the upstream; or 'answer', where the gateway answers by itself"
        report.add('HR_CONFIG_MISSING', ['routes', key], message)
      }
      continue
    }
    checkAlone(route, say)
    checkAnswer(route.answer, say)
  }
}

/** What is for upstreams alone. */
const OF_UPSTREAMS = ['to', 'rewrite', 'timeout', 'retry', 'hedge', 'mirror', 'decompress'] as const

function checkAlone(route: RouteInput, say: Say): void {
  for (const name of OF_UPSTREAMS) {
    if (route[name] !== undefined) say([name], `the gateway answers by itself: leave out 'answer', or ${name}`)
  }
  if (route.mock !== false) say(['mock'], 'the gateway answers by itself already: keep one of answer and mock')
  if (route.stripPrefix) say(['stripPrefix'], 'the gateway answers by itself: no path is sent')
  if (typeof route.websocket === 'object')
    say(['websocket'], 'the gateway answers by itself: no connection is passed on')
  if (route.cache !== false) say(['cache'], 'the gateway answers by itself: there is nothing to store')
}

/** The upstream whose document is asked; `undefined` for none, or one that does not exist. */
function mainUpstream({ to }: RouteInput, { upstreams }: Settings): Settings['upstreams'][string] | undefined {
  if (to === undefined || typeof to === 'string') return upstreams[to ?? '']
  const sides = Object.entries(to.split).map(([name, weight]) => ({ name, weight }))
  return sides.length === 0 ? undefined : upstreams[mainSide(sides)]
}

function checkMock(
  mock: Exclude<RouteInput['mock'], false>,
  upstream: Settings['upstreams'][string] | undefined,
  say: Say,
): void {
  if (mockObject(mock).document !== undefined || upstream?.openapi !== undefined) return
  const message = "there is no document to answer from: give the upstream an openapi, or write mock: './openapi.json'"
  say(['mock'], message)
}

/** RFC 9110 §5.1, §5.5: no line break, and no blank at the ends. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
/** Written by the gateway, by what it sends. */
const OWN_FIELDS = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
])
/** RFC 9110 §15.3.5, §15.3.6, §15.4.5. */
const WITHOUT_BODY = new Set([204, 205, 304])

function checkAnswer(answer: NonNullable<RouteInput['answer']>, say: Say): void {
  const { status, headers, body, file } = answer
  if (body !== undefined && file !== undefined) say(['answer', 'file'], 'the body is text or a file: keep one')
  if (WITHOUT_BODY.has(status) && (body !== undefined || file !== undefined)) {
    say(['answer', body === undefined ? 'file' : 'body'], `a ${status} has no body: leave it out`)
  }
  const names = Object.keys(headers)
  for (const name of names) {
    const path = ['answer', 'headers', name]
    const lower = name.toLowerCase()
    if (!isToken(name)) say(path, `'${name}' is no name of a field`)
    else if (OWN_FIELDS.has(lower)) say(path, `${name} is written by the gateway itself: leave it out`)
    else if (names.find((one) => one.toLowerCase() === lower) !== name) say(path, `'${name}' is written twice`)
    if (!FIELD_VALUE.test(headers[name] ?? '')) {
      say(path, 'a value has no line break, no blank at its ends, and no character beyond latin1')
    }
  }
}
