import type { RouteAccessInput } from '../../services/access/route/options.ts'
import { parseRouteKey } from '../../services/routing/pattern.ts'
import type { RouteInput } from '../../services/routing/options.ts'
import { refusedName } from '../../services/transform/field-names.ts'
import type { TransformInput } from '../../services/transform/options.ts'
import { parseTemplate, TemplateFault, type TemplateSource } from '../../services/transform/template.ts'
import type { Path } from '../problem.ts'
import type { CheckContext, Say } from './context.ts'

type Side = 'request' | 'response'

/** One route, and what its transformations are judged by. */
interface Judged {
  route: RouteInput
  transform: TransformInput
  /** Parameters of its key. */
  parameters: readonly string[]
  /** Fields that tell upstreams who calls, by their {@link spelling}. */
  identity: readonly string[]
  say: Say
}

/** Transformations can be sent, and what one client's request made of an answer is stored for no other. */
export function checkTransforms({ settings, report }: CheckContext): void {
  const { identity: names, forward } = settings.access
  const copied = Object.values(forward).flatMap(({ copy }) => copy)
  const identity = [names.caller, names.groups, names.scopes, ...copied].map(spelling)
  for (const [key, route] of Object.entries(settings.routes)) {
    const { transform } = route
    if (transform === undefined) continue
    const say: Say = (path, message) =>
      report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, 'transform', ...path], message)
    if (route.answer !== undefined || (route.mock !== undefined && route.mock !== false)) {
      say([], 'the gateway answers by itself: nothing goes to an upstream, or comes from one')
      continue
    }
    const judged: Judged = { route, transform, parameters: parametersOf(key), identity, say }
    for (const side of ['request', 'response'] as const) {
      checkNames(judged, side)
      checkTemplates(judged, side)
      checkBody(transform[side].body, (path, message) => say([side, 'body', ...path], message))
    }
    checkStatuses(transform, say)
    checkHook(judged)
  }
}

/** Servers that make variables of fields (CGI, WSGI, PHP) read one name in many. */
const spelling = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')

function checkNames({ transform, identity, say }: Judged, side: Side): void {
  const { set, add, remove, rename } = transform[side].headers
  const check = (name: string, path: Path, isWritten: boolean): void => {
    const fault = refusedName(name, side)
    const at: Path = [side, 'headers', ...path]
    if (fault !== undefined) say(at, fault)
    else if (isWritten && side === 'request' && identity.includes(spelling(name))) {
      say(
        at,
        `${name} tells upstreams who calls (access.identity, or copy of access.forward): nothing else may write it`,
      )
    }
  }
  for (const name of Object.keys(set)) check(name, ['set', name], true)
  for (const name of Object.keys(add)) check(name, ['add', name], true)
  remove.forEach((name, index) => check(name, ['remove', index], false))
  for (const [name, to] of Object.entries(rename)) {
    check(name, ['rename', name], false)
    check(to, ['rename', name], true)
  }
}

function checkTemplates(judged: Judged, side: Side): void {
  const { transform } = judged
  const { set, add } = transform[side].headers
  const at: [Path, Record<string, string>][] = [
    [['headers', 'set'], set],
    [['headers', 'add'], add],
    ...(side === 'request' ? [[['query', 'set'], transform.request.query.set] as [Path, Record<string, string>]] : []),
  ]
  for (const [path, templates] of at) {
    for (const [name, text] of Object.entries(templates)) {
      for (const message of faultsOf(text, judged, side)) judged.say([side, ...path, name], message)
    }
  }
}

/** What a message of which no more is known cannot have within. */
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/

function faultsOf(text: string, judged: Judged, side: Side): string[] {
  const sources = parseTemplate(text)
  if (sources instanceof TemplateFault) return [sources.message]
  return sources.flatMap((source) => {
    const fault = faultOf(source, judged) ?? notShared(source, judged.route, side)
    return fault === undefined ? [] : [fault]
  })
}

function faultOf(source: TemplateSource, { parameters, route }: Judged): string | undefined {
  if (source.kind === 'text' && CONTROL.test(source.text)) {
    return 'a value has no line break, and no character beyond latin1'
  }
  if (source.kind === 'param' && !parameters.includes(source.name)) {
    const there = parameters.length === 0 ? 'it has none' : `it has ${parameters.join(', ')}`
    return `the key of the route has no parameter '${source.name}': ${there}`
  }
  if ((source.kind === 'claim' || source.kind === 'consumer') && route.access === undefined) {
    return 'nobody is asked who calls: give the route an access'
  }
  return undefined
}

/** A value of one client must not be in what is stored for all, unless it is in the key of what is stored. */
function notShared(source: TemplateSource, { cache, access }: RouteInput, side: Side): string | undefined {
  if (cache === undefined || cache === false) return undefined
  const { headers = [], consumer = false, claims = [] } = cache === true ? {} : cache.varyBy
  const isGuarded = access !== undefined && !isPublic(access)
  const stored = 'what it makes of one answer is stored, and given to others'
  switch (source.kind) {
    case 'header': {
      const isInKey = headers.some((name) => name.toLowerCase() === source.name)
      return isInKey ? undefined : `${stored}: add '${source.name}' to cache.varyBy.headers`
    }
    case 'consumer':
      return isGuarded || consumer ? undefined : `${stored}: set cache.varyBy.consumer`
    case 'claim':
      return isGuarded || claims.includes(source.name)
        ? undefined
        : `${stored}: add '${source.name}' to cache.varyBy.claims`
    case 'query':
      return ignores(cache, source.name) ? `${stored}: take '${source.name}' out of cache.ignoreQuery` : undefined
    case 'requestId':
      return side === 'response' ? `${stored}: X-Request-Id tells each its own` : undefined
    default:
      return undefined
  }
}

function isPublic(access: NonNullable<RouteInput['access']>): boolean {
  return !Array.isArray(access) && (access as RouteAccessInput).public
}

function ignores(cache: NonNullable<RouteInput['cache']>, name: string): boolean {
  if (typeof cache === 'boolean') return false
  return cache.ignoreQuery.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}

type BodyInput = TransformInput['request']['body']

function checkBody({ pick, remove, mask, rename }: BodyInput, say: Say): void {
  const check = (pointer: string, path: Path): void => {
    if (pointer.startsWith('/') && !/~(?![01])/.test(pointer)) return
    say(path, `'${pointer}' is no JSON Pointer: write '/items/*/sku'`)
  }
  pick.forEach((pointer, index) => check(pointer, ['pick', index]))
  remove.forEach((pointer, index) => check(pointer, ['remove', index]))
  mask.forEach((pointer, index) => check(pointer, ['mask', index]))
  for (const [pointer, to] of Object.entries(rename)) {
    check(pointer, ['rename', pointer])
    if (to.includes('/')) say(['rename', pointer], `'${to}' is no name: a member stays where it is`)
  }
}

/** RFC 9110 §15.3.5, §15.3.6, §15.3.7, §15.4.5: they say of what follows what no other does. */
const FRAMING = new Set([204, 205, 206, 304])

function checkStatuses({ response: { status } }: TransformInput, say: Say): void {
  for (const [from, to] of Object.entries(status)) {
    const odd = [Number(from), to].find((one) => FRAMING.has(one))
    if (odd !== undefined)
      say(['response', 'status', from], `a ${odd} says what follows it: it stays, and nothing becomes one`)
  }
}

function checkHook({ route, transform, say }: Judged): void {
  const isCached = route.cache !== undefined && route.cache !== false
  if (isCached && transform.request.hook !== undefined) {
    say(
      ['request', 'hook'],
      'a hook sees what one client sends, and what comes of it would be stored for all: leave out cache, or the hook',
    )
  }
}

function parametersOf(key: string): string[] {
  try {
    return parseRouteKey(key).segments.flatMap((segment) => {
      if (segment.kind === 'static') return []
      return [segment.kind === 'parameter' ? segment.name : '*']
    })
  } catch {
    // The check of routes has said so.
    return []
  }
}
