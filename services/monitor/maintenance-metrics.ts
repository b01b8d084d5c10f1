import type { MaintenanceReport } from '../maintenance/report.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const maintenance: MetricDefinition = {
  name: 'headrace_maintenance',
  type: 'gauge',
  help: 'Whether routes are in maintenance: 1 yes, 0 no; of the gateway as a whole where the route is empty. One that stays 1 has been forgotten',
  labels: ['route'],
  aggregator: 'max',
}

/** What is in maintenance, read when someone asks. */
export function maintenanceMetrics(read: () => MaintenanceReport): MetricSource {
  return {
    definitions: [maintenance],
    collect() {
      const { gateway, routes } = read()
      const single = routes.map((route) => ({ labels: { route }, value: 1 }))
      return [family(maintenance, [{ labels: { route: '' }, value: gateway ? 1 : 0 }, ...single])]
    },
  }
}
