import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { MetricFamily } from '../../services/monitor/families.ts'
import { adminSecurity, badRequest, controlProblems, missingSchema } from '../schemas.ts'
import { matchesName } from './name-pattern.ts'
import { Type } from '../../services/options/type.ts'

const metricSchema = Type.Object({
  name: Type.String(),
  type: Type.Union([
    Type.Literal('counter'),
    Type.Literal('gauge'),
    Type.Literal('histogram'),
    Type.Literal('summary'),
  ]),
  help: Type.String(),
  values: Type.Array(
    Type.Object({
      name: Type.Optional(Type.String({ description: 'Part of a histogram or summary: …_bucket, …_sum, …_count' })),
      labels: Type.Record(Type.String(), Type.String()),
      value: Type.Union([Type.Number(), Type.Null()], { description: 'null where there is no number' }),
    }),
  ),
})

/** The metrics of /metrics as JSON, for people and scripts. */
const metricsRoute: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/metrics',
    {
      schema: {
        tags: ['performance'],
        summary: 'Metrics as JSON',
        security: adminSecurity,
        querystring: Type.Object({
          name: Type.Optional(
            Type.String({
              maxLength: 200,
              description: 'Only metrics whose name starts so; with an asterisk, those that match: headrace_*_seconds',
            }),
          ),
        }),
        response: {
          200: Type.Object({ metrics: Type.Array(metricSchema), missing: missingSchema }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { name = '' } = request.query
      const { result, missing } = await fastify.control.ask('metrics')
      return { metrics: result.filter((metric) => matchesName(name, metric.name)).map(toJson), missing }
    },
  )
}

function toJson({ name, type, help, values }: MetricFamily) {
  return {
    name,
    type,
    help,
    values: values.map(({ labels, value, metricName }) => ({
      ...(metricName === undefined ? {} : { name: metricName }),
      labels: Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])),
      value: Number.isFinite(value) ? value : null,
    })),
  }
}

export default metricsRoute
