import type { Exchange } from './exchange.ts'

/**
 * Server-Timing of an answer that came from an upstream: its part, and the whole since the request came. Milliseconds to a
 * tenth. @param now on the clock of `performance.now()`
 */
export function serverTiming({ upstreamMs, arrivedAt }: Exchange, now: number): string {
  const upstream = ((upstreamMs * 10) | 0) / 10
  const gateway = (((now - arrivedAt) * 10) | 0) / 10
  return `upstream;dur=${upstream}, gateway;dur=${gateway}`
}
