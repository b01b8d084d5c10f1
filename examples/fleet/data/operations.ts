import type { Alert } from '../resources/alerts.ts'
import type { Assignment } from '../resources/assignments.ts'
import type { FuelPurchase } from '../resources/fuel.ts'
import type { Vehicle } from '../resources/vehicles.ts'
import { daysBefore } from './calendar.ts'
import type { Random } from './random.ts'
import { type Counts, stamp } from './rows.ts'

/** What happens on the road: who drives what, what it consumes, what goes wrong. */

export function generateAssignments(random: Random, counts: Counts): Assignment[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const daysAgo = random.decimal(-7, 60, 3)
    const hours = random.integer(2, 10)
    const over = daysAgo > hours / 24
    return {
      id: index + 1,
      vehicleId: random.integer(1, counts.vehicles),
      driverId: random.integer(1, counts.drivers),
      purpose: random.pick(['delivery', 'delivery', 'collection', 'service-call', 'transfer']),
      status: over ? (random.chance(0.95) ? 'done' : 'cancelled') : daysAgo > 0 ? 'running' : 'planned',
      startsAt: daysBefore(daysAgo),
      endsAt: daysBefore(daysAgo - hours / 24),
      ...stamp(Math.max(daysAgo, 0.1)),
    }
  })
}

export function generateFuel(random: Random, counts: Counts, vehicles: readonly Vehicle[]): FuelPurchase[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const vehicleId = random.integer(1, counts.vehicles)
    const electric = vehicles[vehicleId - 1]?.fuelType === 'electric'
    const quantity = electric ? random.decimal(18, 90, 1) : random.decimal(20, 140, 1)
    const unitPriceCents = electric ? random.integer(32, 59) : random.integer(148, 189)
    const daysAgo = random.decimal(0.1, 180, 3)
    return {
      id: index + 1,
      vehicleId,
      driverId: random.integer(1, counts.drivers),
      station: `${random.pick(['Northgate', 'Harbour', 'Ring Road', 'Airport', 'Old Mill', 'Depot'])} ${random.integer(1, 9)}`,
      filledAt: daysBefore(daysAgo),
      quantity,
      unit: electric ? 'kWh' : 'l',
      unitPriceCents,
      totalCents: Math.round(quantity * unitPriceCents),
      ...stamp(daysAgo),
    }
  })
}

const MESSAGES: Record<Alert['kind'], string> = {
  speeding: 'Faster than the limit for more than 30 s',
  geofence: 'Left its permitted area',
  'low-fuel': 'Less than 10 % of energy left',
  'engine-fault': 'The engine controller reports a fault',
  'document-expiring': 'A document expires within 30 days',
}

export function generateAlerts(random: Random, counts: Counts): Alert[] {
  return Array.from({ length: counts.rows }, (_, index) => {
    const kind = random.pick(['speeding', 'geofence', 'low-fuel', 'engine-fault', 'document-expiring'])
    const daysAgo = random.decimal(0.05, 45, 3)
    return {
      id: index + 1,
      vehicleId: random.integer(1, counts.vehicles),
      kind,
      severity: kind === 'engine-fault' ? 'critical' : random.pick(['info', 'warning']),
      message: MESSAGES[kind],
      raisedAt: daysBefore(daysAgo),
      acknowledged: daysAgo > 3 || random.chance(0.4),
      ...stamp(daysAgo),
    }
  })
}
