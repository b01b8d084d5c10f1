import fastifySwagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import { registerCollection } from './collection/routes.ts'
import { generateFleet } from './data/fleet.ts'
import conditionalRequests from './http/conditional.ts'
import problemDocuments from './http/problem.ts'
import { alerts } from './resources/alerts.ts'
import { assignments } from './resources/assignments.ts'
import { auditLog } from './resources/audit-log.ts'
import { registerChaos } from './resources/chaos.ts'
import { documents } from './resources/documents.ts'
import { drivers } from './resources/drivers.ts'
import { registerExports } from './resources/exports.ts'
import { fuel } from './resources/fuel.ts'
import { inspections } from './resources/inspections.ts'
import { maintenance } from './resources/maintenance.ts'
import { registerPhotos } from './resources/photos.ts'
import { PositionFeed } from './resources/position-feed.ts'
import { registerPositionStream } from './resources/position-stream.ts'
import { registerReports } from './resources/reports.ts'
import { telematics } from './resources/telematics.ts'
import { users } from './resources/users.ts'
import { vehicles } from './resources/vehicles.ts'
import { workOrders } from './resources/work-orders.ts'

export interface FleetOptions {
  /** The same text gives the same rows, ids and ETags. */
  seed?: string
  /** ms since 1970; writes and event ids take their time from it. */
  now?: () => number
  /** Between two events of `/telematics/stream`. */
  tickMs?: number
}

const COLLECTIONS = [
  vehicles,
  drivers,
  users,
  maintenance,
  fuel,
  assignments,
  workOrders,
  telematics,
  inspections,
  documents,
  alerts,
  auditLog,
]

/** The fleet-management API: about 5,400 rows in memory, not listening yet. It knows nothing of Headrace. */
export async function buildFleet(options: FleetOptions = {}): Promise<FastifyInstance> {
  const { seed = 'headrace', now = Date.now, tickMs = 1000 } = options
  const app = Fastify({
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false } },
  })
  const context = { fleet: generateFleet(seed), now }

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Fleet', version: '1.0.0', description: 'Vehicles, their drivers and what happens to both' },
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema['$id'] === 'string' ? schema['$id'] : `def-${index}`,
    },
  })
  await app.register(problemDocuments)
  await app.register(conditionalRequests)

  for (const collection of COLLECTIONS) {
    // A scope of its own keeps its schema out of the others' serializers, which halves the time to boot.
    await app.register(async (scope) => registerCollection(scope, collection, context))
  }
  await registerPhotos(app, context.fleet.vehicles)
  registerReports(app, context)
  registerPositionStream(app, new PositionFeed({ now, tickMs }))
  registerExports(app)
  registerChaos(app)

  app.get('/health', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'ok' }
  })
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300')
    return app.swagger()
  })
  return app
}
