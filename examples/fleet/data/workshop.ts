import type { FleetDocument } from '../resources/documents.ts'
import type { Inspection } from '../resources/inspections.ts'
import type { Maintenance } from '../resources/maintenance.ts'
import type { WorkOrder } from '../resources/work-orders.ts'
import { dayBefore, daysBefore } from './calendar.ts'
import type { Random } from './random.ts'
import { type Counts, stamp } from './rows.ts'

/** What happens in the yard: upkeep, checks and papers. */

export function generateMaintenance(random: Random, counts: Counts): Maintenance[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const daysAgo = random.integer(1, 900)
    return {
      id: index + 1,
      vehicleId: random.integer(1, counts.vehicles),
      kind: random.pick(['oil-change', 'tyres', 'brakes', 'battery', 'bodywork', 'annual-service']),
      workshop: `${random.pick(['Central', 'East', 'Harbour', 'Hillside'])} Workshop`,
      performedOn: dayBefore(daysAgo),
      odometerKm: random.integer(5_000, 240_000),
      costCents: random.integer(8_000, 240_000),
      ...stamp(daysAgo),
    }
  })
}

export function generateWorkOrders(random: Random, counts: Counts): WorkOrder[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const daysAgo = random.integer(1, 90)
    return {
      id: index + 1,
      vehicleId: random.integer(1, counts.vehicles),
      assigneeId: random.integer(1, counts.users),
      title: `${random.pick(['Replace', 'Check', 'Repair', 'Calibrate'])} ${random.pick(['brake pads', 'tachograph', 'tail lift', 'headlights', 'coolant pump', 'side door'])}`,
      priority: random.pick(['low', 'normal', 'normal', 'high', 'urgent']),
      status: daysAgo > 40 ? 'closed' : random.pick(['open', 'in-progress', 'waiting-for-parts', 'closed']),
      dueOn: dayBefore(daysAgo - random.integer(7, 40)),
      estimateCents: random.integer(5_000, 180_000),
      ...stamp(daysAgo),
    }
  })
}

export function generateInspections(random: Random, counts: Counts): Inspection[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const daysAgo = random.decimal(0.2, 120, 3)
    const defect = random.pick(['worn tyre', 'cracked mirror', 'missing triangle', 'oil leak', 'loose strap'])
    const result = random.pick(['passed', 'passed', 'passed', 'passed-with-defects', 'failed'])
    return {
      id: index + 1,
      vehicleId: random.integer(1, counts.vehicles),
      driverId: random.integer(1, counts.drivers),
      kind: random.pick(['pre-trip', 'pre-trip', 'post-trip', 'annual']),
      result,
      defects: result === 'passed' ? [] : [defect],
      performedAt: daysBefore(daysAgo),
      ...stamp(daysAgo),
    }
  })
}

export function generateDocuments(random: Random, counts: Counts): FleetDocument[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const kind = random.pick(['registration', 'insurance', 'lease', 'emissions-certificate'])
    const vehicleId = random.integer(1, counts.vehicles)
    const daysAgo = random.integer(10, 700)
    return {
      id: index + 1,
      vehicleId,
      kind,
      title: `${kind.replace('-', ' ')} of vehicle ${vehicleId}`,
      mediaType: random.pick(['application/pdf', 'application/pdf', 'image/jpeg']),
      sizeBytes: random.integer(40_000, 2_400_000),
      issuedOn: dayBefore(daysAgo),
      expiresOn: dayBefore(daysAgo - random.pick([365, 730, 1095])),
      ...stamp(daysAgo),
    }
  })
}
