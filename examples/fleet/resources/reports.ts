import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { Type, type Static } from 'typebox'
import type { CollectionContext } from '../collection/definition.ts'
import { DEPOTS } from './entity.ts'
import { problems } from '../http/problem.ts'

const utilisationSchema = Type.Object(
  {
    depots: Type.Array(
      Type.Object({
        depot: Type.String(),
        vehicles: Type.Integer(),
        active: Type.Integer(),
        inWorkshop: Type.Integer(),
        utilisation: Type.Number({ minimum: 0, maximum: 1, description: 'Active vehicles of those not retired' }),
        assignments: Type.Integer(),
        energyCostCents: Type.Integer(),
      }),
    ),
  },
  { $id: 'UtilisationReport' },
)

const MAX_DELAY_MS = 10_000

/** `GET /reports/utilisation`: takes its time, as a report over a large database does. */
export function registerReports(app: FastifyInstance, { fleet }: CollectionContext): void {
  app.addSchema(utilisationSchema)
  const schema = {
    operationId: 'getUtilisationReport',
    summary: 'Utilisation by depot (slow)',
    tags: ['reports'],
    querystring: Type.Object({
      delay: Type.Integer({
        minimum: 0,
        maximum: MAX_DELAY_MS,
        default: 1500,
        description: 'How long it takes, in ms',
      }),
    }),
    response: { 200: Type.Ref('UtilisationReport'), ...problems(400) },
  }
  app.get<{ Querystring: { delay: number } }>('/reports/utilisation', { schema }, async (request, reply) => {
    await setTimeout(request.query.delay, undefined, { signal: request.signal })
    reply
      .header('cache-control', 'public, max-age=30, s-maxage=120, stale-while-revalidate=300, stale-if-error=3600')
      .header('surrogate-key', 'reports vehicles assignments fuel')
    return utilisation(fleet)
  })
}

function utilisation(fleet: CollectionContext['fleet']): Static<typeof utilisationSchema> {
  const vehicles = fleet.vehicles.rows()
  const assignments = fleet.assignments.rows()
  const fuel = fleet.fuel.rows()
  const depots = DEPOTS.map((depot) => {
    const here = vehicles.filter((vehicle) => vehicle.depot === depot && vehicle.status !== 'retired')
    const ids = new Set(here.map((vehicle) => vehicle.id))
    const active = here.filter((vehicle) => vehicle.status === 'active').length
    return {
      depot,
      vehicles: here.length,
      active,
      inWorkshop: here.filter((vehicle) => vehicle.status === 'workshop').length,
      utilisation: here.length === 0 ? 0 : Number((active / here.length).toFixed(3)),
      assignments: assignments.filter((assignment) => ids.has(assignment.vehicleId)).length,
      energyCostCents: fuel.filter((fill) => ids.has(fill.vehicleId)).reduce((sum, fill) => sum + fill.totalCents, 0),
    }
  })
  return { depots }
}
