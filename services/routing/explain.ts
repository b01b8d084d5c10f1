import type { RoutePattern, Segment } from './pattern.ts'
import { hostMatches, type RouteTable } from './table.ts'

/** What `headrace explain` says of one route: the winner, or why it lost. */
export interface RouteVerdict {
  key: string
  verdict: 'wins' | 'host differs' | 'path differs' | 'method differs' | 'less specific'
  reason: string
}

/** The verdict on every route of a table for one request, the winner first. Arguments as for `RouteTable.lookup`. */
export function explainRoutes<T extends { pattern: RoutePattern }>(
  table: RouteTable<T>,
  method: string,
  host: string,
  path: string,
): RouteVerdict[] {
  const winner = table.match(method, host, path)?.route
  const verdicts = table.routes.map((route) => verdictOn(route.pattern, winner?.pattern, method, host, path))
  return verdicts.sort((a, b) => Number(b.verdict === 'wins') - Number(a.verdict === 'wins'))
}

function verdictOn(
  pattern: RoutePattern,
  winner: RoutePattern | undefined,
  method: string,
  host: string,
  path: string,
): RouteVerdict {
  const { key } = pattern
  if (pattern === winner) return { key, verdict: 'wins', reason: 'the most specific route that takes the request' }
  if (!hostMatches(pattern.host, host)) {
    return { key, verdict: 'host differs', reason: `takes ${hostName(pattern)}, not '${host}'` }
  }
  const difference = pathDifference(pattern.segments, path)
  if (difference !== null) return { key, verdict: 'path differs', reason: difference }
  if (pattern.methods !== null && !pattern.methods.includes(method)) {
    return { key, verdict: 'method differs', reason: `takes ${pattern.methods.join(', ')}` }
  }
  return { key, verdict: 'less specific', reason: winner ? whyLessSpecific(pattern, winner) : 'matches' }
}

function hostName(pattern: RoutePattern): string {
  return pattern.host.kind === 'exact'
    ? pattern.host.name
    : pattern.host.kind === 'suffix'
      ? `*${pattern.host.suffix}`
      : 'any host'
}

function pathDifference(segments: Segment[], path: string): string | null {
  const parts = path.split('/').slice(1)
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as Segment
    const part = parts[i]
    if (segment.kind === 'rest') return part === undefined ? `the path ends before '*'` : null
    if (part === undefined)
      return `the path ends before '${segment.kind === 'static' ? segment.text : `:${segment.name}`}'`
    if (segment.kind === 'static' && segment.text !== part) return `has '${segment.text}' where the path has '${part}'`
    if (segment.kind === 'parameter' && part === '') return `':${segment.name}' takes a non-empty segment`
  }
  return parts.length > segments.length ? `the path goes on with '/${parts.slice(segments.length).join('/')}'` : null
}

function whyLessSpecific(pattern: RoutePattern, winner: RoutePattern): string {
  const rank = { exact: 2, suffix: 1, any: 0 } as const
  if (pattern.host.kind === 'suffix' && winner.host.kind === 'suffix' && pattern.host.suffix !== winner.host.suffix) {
    return `'${winner.key}' names a longer host suffix`
  }
  if (rank[pattern.host.kind] < rank[winner.host.kind]) return `'${winner.key}' names the host more exactly`
  const kinds = { static: 2, parameter: 1, rest: 0 } as const
  for (let i = 0; i < Math.max(pattern.segments.length, winner.segments.length); i++) {
    const mine = pattern.segments[i]
    const theirs = winner.segments[i]
    if (mine === undefined || theirs === undefined || kinds[mine.kind] === kinds[theirs.kind]) continue
    return `'${winner.key}' is more specific at segment ${i + 1}`
  }
  return `'${winner.key}' names the method`
}
