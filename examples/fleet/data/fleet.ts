import type { Alert } from '../resources/alerts.ts'
import type { Assignment } from '../resources/assignments.ts'
import type { AuditEntry } from '../resources/audit-log.ts'
import type { FleetDocument } from '../resources/documents.ts'
import type { Driver } from '../resources/drivers.ts'
import type { FuelPurchase } from '../resources/fuel.ts'
import type { Inspection } from '../resources/inspections.ts'
import type { Maintenance } from '../resources/maintenance.ts'
import type { Position } from '../resources/telematics.ts'
import type { User } from '../resources/users.ts'
import type { Vehicle } from '../resources/vehicles.ts'
import type { WorkOrder } from '../resources/work-orders.ts'
import { generateAuditLog } from './audit-log.ts'
import { generateAlerts, generateAssignments, generateFuel } from './operations.ts'
import { generateDrivers, generateUsers } from './people.ts'
import { generatePositions } from './positions.ts'
import { createRandom } from './random.ts'
import { Table } from './table.ts'
import { generateVehicles } from './vehicles.ts'
import { generateDocuments, generateInspections, generateMaintenance, generateWorkOrders } from './workshop.ts'

/** Every table of the example, by the name of its collection. */
export interface Fleet {
  vehicles: Table<Vehicle>
  drivers: Table<Driver>
  users: Table<User>
  maintenance: Table<Maintenance>
  fuel: Table<FuelPurchase>
  assignments: Table<Assignment>
  'work-orders': Table<WorkOrder>
  telematics: Table<Position>
  inspections: Table<Inspection>
  documents: Table<FleetDocument>
  alerts: Table<Alert>
  'audit-log': Table<AuditEntry>
}

export type CollectionName = keyof Fleet

const PEOPLE = { vehicles: 240, drivers: 180, users: 60 }
const CAPACITY = 10_000

/**
 * About 5,400 rows. Each table draws from its own sequence, so a change to one leaves the others as they were.
 *
 * @param seed the same text gives the same rows
 */
export function generateFleet(seed: string): Fleet {
  const random = (table: CollectionName) => createRandom(`${seed}/${table}`)
  const counts = (rows: number) => ({ rows, ...PEOPLE })
  const vehicles = generateVehicles(random('vehicles'), PEOPLE.vehicles)
  const table = <Row extends { id: number; createdAt: string; updatedAt: string }>(name: CollectionName, rows: Row[]) =>
    new Table<Row>(name, rows, { capacity: CAPACITY, whenFull: name === 'audit-log' ? 'evict' : 'refuse' })

  return {
    vehicles: table('vehicles', vehicles),
    drivers: table('drivers', generateDrivers(random('drivers'), PEOPLE.drivers)),
    users: table('users', generateUsers(random('users'), PEOPLE.users)),
    maintenance: table('maintenance', generateMaintenance(random('maintenance'), counts(900))),
    fuel: table('fuel', generateFuel(random('fuel'), counts(1600), vehicles)),
    assignments: table('assignments', generateAssignments(random('assignments'), counts(420))),
    'work-orders': table('work-orders', generateWorkOrders(random('work-orders'), counts(360))),
    telematics: table('telematics', generatePositions(PEOPLE.vehicles)),
    inspections: table('inspections', generateInspections(random('inspections'), counts(480))),
    documents: table('documents', generateDocuments(random('documents'), counts(320))),
    alerts: table('alerts', generateAlerts(random('alerts'), counts(300))),
    'audit-log': table('audit-log', generateAuditLog(random('audit-log'), counts(300))),
  }
}
