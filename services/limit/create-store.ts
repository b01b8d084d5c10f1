import type { RedisOptions } from '../redis/options.ts'
import { ControlLedger, type Loans } from './control-ledger.ts'
import type { LoanRequest } from './lending.ts'
import type { LimitedRoute, LimitSettings } from './limits.ts'
import { LimitStore } from './limit-store.ts'
import { type LedgerLog, RedisLedger } from './redis-ledger.ts'

/** Asks whoever looks after the processes for units of the limits that they share. */
export type AskForLoans = (requests: readonly LoanRequest[]) => Promise<Loans>

export interface StoreParts {
  loans: AskForLoans
  log: LedgerLog
}

/** What decides about who keeps the limits. */
export interface SharingSettings extends Pick<LimitSettings, 'tiers'> {
  routes: readonly LimitedRoute[]
  redis: RedisOptions | null
  processes: number
}

/**
 * With Redis, it keeps the limits of all machines; else whoever looks after several processes, those of this machine. One
 * process by itself, or without a limit, asks nobody.
 *
 * @throws HR_REDIS_TLS_FILE
 */
export function createLimitStore(settings: SharingSettings, { loans, log }: StoreParts): LimitStore {
  const { redis, processes } = settings
  if (!isLimited(settings)) return new LimitStore(null)
  if (redis !== null) return new LimitStore(new RedisLedger(redis, log))
  return new LimitStore(processes > 1 ? new ControlLedger(loans) : null)
}

/** The same text where the same store will do. */
export function sharingOf(settings: SharingSettings): string {
  return JSON.stringify([isLimited(settings), settings.redis, settings.processes > 1])
}

function isLimited({ routes, tiers }: Pick<SharingSettings, 'routes' | 'tiers'>): boolean {
  return routes.some(
    ({ rateLimit, access }) => rateLimit !== null && (rateLimit.length > 0 || (tiers.length > 0 && access !== null)),
  )
}
