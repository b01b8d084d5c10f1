import type { FastifyInstance } from 'fastify'
import rateLimit from '../plugins/rate-limit.ts'
import { parseRate } from '../services/options/units.ts'

/**
 * Bounds how often an address asks for pages of the scope that are registered after it. A request counts before what it
 * brings is looked at: guessing a secret is bounded, too.
 *
 * @param rate as people write it: '120/min'
 */
export async function limitScope(scope: FastifyInstance, rate: string): Promise<void> {
  const parsed = parseRate(rate)
  if (parsed === undefined) return
  await scope.register(rateLimit, { max: parsed.count, timeWindow: parsed.windowMs })
  scope.addHook('onRequest', scope.rateLimit())
}
