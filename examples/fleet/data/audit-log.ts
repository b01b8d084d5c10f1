import type { AuditEntry } from '../resources/audit-log.ts'
import { daysBefore } from './calendar.ts'
import type { Random } from './random.ts'
import type { Counts } from './rows.ts'

/** Oldest first, as a log is written. */
export function generateAuditLog(random: Random, counts: Counts): AuditEntry[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const at = daysBefore(((counts.rows - index) / counts.rows) * 60)
    const resource = random.pick(['vehicles', 'drivers', 'assignments', 'work-orders', 'alerts'])
    return {
      id: index + 1,
      actor: `user-${random.integer(1, counts.users)}`,
      action: random.pick(['update', 'update', 'update', 'create']),
      resource,
      resourceId: random.integer(1, counts.drivers),
      fields: resource === 'alerts' ? ['acknowledged'] : ['status'],
      createdAt: at,
      updatedAt: at,
    }
  })
}
