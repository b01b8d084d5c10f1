import type { Config } from '../config/config.ts'
import type { AnswerOptions } from '../services/answer/options.ts'
import { isUnsafe } from '../services/cache/rules/invalidation.ts'
import { type CompressionOptions, compressionOf } from '../services/compression/options.ts'
import type { MirrorOptions } from '../services/mirror/options.ts'
import type { MockOptions } from '../services/mock/options.ts'
import { formatDuration, formatSize } from '../services/options/units.ts'
import type { Step } from '../services/proxy/plan.ts'
import { shortName } from '../services/transform/hooks.ts'
import type { HookReference, TransformOptions } from '../services/transform/options.ts'
import type { RouteOptions } from '../services/routing/options.ts'
import type { BalanceOptions } from '../services/upstream/balance/options.ts'
import type { TimeoutOptions, UpstreamOptions } from '../services/upstream/options.ts'
import { isPriorKnowledge } from '../services/upstream/prior-knowledge.ts'
import type { HedgeOptions, RetryOptions } from '../services/upstream/retry/options.ts'
import type { Asked, CacheExplanation, Explanation } from './explanation.ts'

/** What the words about a step are made of. */
export interface StepContext {
  config: Config
  request: Asked
  path: string
  options: RouteOptions
  /** Where it goes; `undefined` where the gateway answers by itself. */
  upstream: UpstreamOptions | undefined
  sent: { path: string; host: string }
  split: Explanation['split']
  cache: CacheExplanation | null
}

/** What a step does with a request: what stands behind its name in `headrace explain`. */
export function detailOf(
  name: Step,
  { config, request, path, options, upstream, sent, split, cache }: StepContext,
): string {
  const { forwarded, log } = config
  switch (name) {
    case 'canonicalise':
      return request.path.startsWith(path) ? 'unchanged' : `${request.path} becomes ${path}`
    case 'forwarded': {
      const fields = { both: 'Forwarded and X-Forwarded-*', forwarded: 'Forwarded', 'x-forwarded': 'X-Forwarded-*' }
      const trusted = forwarded.trust.length === 0 ? 'no proxy' : forwarded.trust.join(', ')
      return `sends ${fields[forwarded.send]} and Via: 1.1 ${forwarded.via}; believes ${trusted}`
    }
    case 'request id':
      return 'made here, or taken over from a trusted proxy; returned, logged and forwarded'
    case 'route':
      return `${options.key} → ${split?.side ?? options.to ?? 'the gateway itself'}`
    case 'split':
      return split?.detail ?? ''
    case 'lookup':
      return lookupInWords(request.method, cache)
    case 'upstream':
      return [`${sent.path} with Host: ${sent.host}`, ...upstreamInWords(options, upstream)].join('; ')
    case 'validation':
      return validationInWords(options.validate, 'requests', options.to)
    case 'response validation':
      return validationInWords(options.validate, 'responses', options.to)
    case 'request transformation':
      return changesInWords(options.transform?.request)
    case 'transformation':
      return changesInWords(options.transform?.response)
    case 'answer':
      return options.answer === null ? '' : answerInWords(options.answer)
    case 'mock':
      return options.mock === null ? '' : mockInWords(options.mock, options.to)
    case 'mirror':
      return mirrorInWords(request.method, options.mirror)
    case 'store':
      return storeInWords(request.method, cache)
    case 'coding':
      return codingInWords(compressionOf(options.compression, config.compression))
    case 'log':
      if (log.level === 'silent' || !log.requests) return 'off'
      return log.sample === 1 ? 'a line for each request' : `${log.sample * 100} % of what is answered below 400`
    default:
      return ''
  }
}

function codingInWords(options: CompressionOptions | null): string {
  if (options === null) return ''
  return `${options.codings.join(', ')}, as the client accepts; ${options.types.join(', ')}, from ${options.thresholdBytes} bytes on`
}

function answerInWords({ status, body }: AnswerOptions): string {
  return `${status} with ${'file' in body ? body.file : `${Buffer.byteLength(body.text)} bytes`}`
}

function mockInWords({ document, status, example }: MockOptions, to: string | null): string {
  const chosen = [...(status === null ? [] : [`status ${status}`]), ...(example === null ? [] : [`example ${example}`])]
  return [`from ${document ?? `the document of ${to}`}, as Prefer says`, ...chosen].join('; else ')
}

/** What of a message is changed. */
function changesInWords(side: TransformOptions['request'] | TransformOptions['response'] | undefined): string {
  const changed = Object.entries(side ?? {}).filter(([, one]) => (Array.isArray(one) ? one.length > 0 : one !== null))
  return changed.map(([name, one]) => (name === 'hook' ? `hook ${shortName(one as HookReference)}` : name)).join(', ')
}

function validationInWords(
  validate: RouteOptions['validate'],
  side: 'requests' | 'responses',
  to: string | null,
): string {
  if (validate === null) return ''
  const { document, bodyBytes, [side]: mode } = validate
  const what = mode === 'log' ? 'what differs is noted' : 'what differs is refused'
  return `by ${document ?? `the document of ${to}`}: ${what}; bodies of at most ${formatSize(bodyBytes)}`
}

function mirrorInWords(method: string, mirror: MirrorOptions | null): string {
  if (mirror === null) return ''
  const { to, share, methods, bodyBytes } = mirror
  if (!methods.includes(method)) return `${method} is not copied to ${to}; ${methods.join(', ')} are`
  const bodies = `bodies of at most ${bodyBytes} bytes`
  return `${Math.round(share * 1000) / 10} % are copied to ${to}, ${bodies}, and its answers thrown away`
}

function lookupInWords(method: string, cache: CacheExplanation | null): string {
  if (cache === null) return ''
  if (cache.byContent) return `by its content; ${cache.lookup.join('; ')}`
  if (cache.key === null) return `${method} is not answered from the store`
  return `key ${cache.key.replaceAll('\n', ' | ')}; ${cache.lookup.join('; ')}`
}

function storeInWords(method: string, cache: CacheExplanation | null): string {
  if (cache === null) return ''
  const told = cache.send.map((words) => `clients get ${words}`)
  if (cache.key !== null || cache.byContent) return [...cache.store, ...told].join('; ')
  const purges = cache.store.filter((words) => words.includes('purges the tags'))
  if (!isUnsafe(method)) return 'the answer is not stored'
  return ['a success makes what is stored for its URL invalid', ...purges].join('; ')
}

/** How its target is chosen, how long it has, and what happens where it fails. */
function upstreamInWords(route: RouteOptions, upstream: UpstreamOptions | undefined): string[] {
  if (upstream === undefined) return []
  const timeout = { ...upstream.timeout, ...route.timeout }
  const retry = (route.retry ?? upstream.retry) || null
  const hedge = (route.hedge ?? upstream.hedge) || null
  return [
    balanceInWords(upstream),
    timeoutInWords(timeout),
    retry === null ? 'not tried again' : retryInWords(retry),
    ...(hedge === null ? [] : [hedgeInWords(hedge)]),
    ...(upstream.breaker === null
      ? []
      : [`a breaker a target, open for ${formatDuration(upstream.breaker.openForMs)}`]),
    ...(upstream.concurrency === null ? [] : ['as many at a time as it answers without getting slow']),
    webSocketInWords(route, upstream),
  ]
}

function webSocketInWords({ websocket }: RouteOptions, { targets }: UpstreamOptions): string {
  if (websocket === null) return 'no WebSocket'
  const speaking = targets.filter(({ origin }) => !isPriorKnowledge(origin)).length
  if (speaking === 0) return 'no WebSocket, which needs HTTP/1.1'
  return speaking === targets.length
    ? 'WebSocket goes through'
    : 'WebSocket goes through where no h2c:// target is chosen'
}

function balanceInWords({ targets, balance, sticky }: UpstreamOptions): string {
  if (targets.length === 1 && targets[0]?.via === 'origin') return 'one target'
  const kept = sticky === null ? '' : `, as the cookie ${sticky.cookie} says`
  return `one of ${targets.length} targets ${balanceName(balance)}${kept}`
}

function balanceName(balance: BalanceOptions): string {
  if (typeof balance === 'string') return balance === 'round-robin' ? 'by turns' : 'by load'
  return `by the hash of ${balance.hash}`
}

function timeoutInWords({ firstByteMs, totalMs }: TimeoutOptions): string {
  const said = (ms: number): string => (ms === 0 ? 'any time' : formatDuration(ms))
  return `${said(firstByteMs)} to the first byte, ${said(totalMs)} in all`
}

function retryInWords({ attempts, connect, reset, timeout, statuses }: RetryOptions): string {
  const on = [
    ...(connect ? ['no connection'] : []),
    ...(reset ? ['a reset'] : []),
    ...(timeout ? ['a timeout'] : []),
    ...statuses.map(String),
  ]
  return on.length === 0 ? 'not tried again' : `tried ${attempts} times at most, on ${on.join(', ')}`
}

function hedgeInWords({ after, max }: HedgeOptions): string {
  const when =
    'ms' in after ? formatDuration(after.ms) : `the time within which ${after.quantile * 100} % have answered`
  return `asked ${max} more where nothing has come after ${when}`
}
