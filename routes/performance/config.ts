import { STATUS_CODES } from 'node:http'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ReloadFailure } from '../../services/configuration/report.ts'
import { adminSecurity, controlProblems, problem, problemSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const time = (description: string) => Type.Integer({ description: `${description}, Unix time in milliseconds` })
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

const triggerSchema = Type.Unsafe<'start' | 'signal' | 'watch' | 'request'>({
  type: 'string',
  enum: ['start', 'signal', 'watch', 'request'],
  description: 'signal: SIGHUP; watch: a file has changed; request: this API, or the command',
})

const changeSchema = Type.Object({
  path: Type.String({ description: 'The property: upstreams.fleet.timeout.total' }),
  kind: Type.Unsafe<'added' | 'removed' | 'changed' | 'file'>({
    type: 'string',
    enum: ['added', 'removed', 'changed', 'file'],
    description: 'file: the file that the property names has another content',
  }),
  before: Type.Unknown({ description: 'Without its defaults, secrets redacted; null where there was nothing' }),
  after: Type.Unknown({ description: 'Likewise' }),
  effect: Type.Unsafe<'certificates' | 'reload' | 'restart'>({
    type: 'string',
    enum: ['certificates', 'reload', 'restart'],
    description: 'restart: it cannot be had while the gateway runs',
  }),
})

const faultSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  path: Type.String(),
  suggestion: orNull(Type.String()),
  source: orNull(Type.String()),
  line: orNull(Type.Integer()),
  column: orNull(Type.Integer()),
  excerpt: orNull(Type.Object({ text: Type.String(), length: Type.Integer() })),
})

const failureMembers = {
  problems: Type.Array(faultSchema, { description: 'Faults of the configuration; empty where it is valid' }),
  changes: Type.Array(changeSchema, { description: 'Changes that were wanted' }),
}

const reportSchema = Type.Object({
  version: Type.Integer({ description: 'Counts configurations since the start, from 1' }),
  loadedAt: time('When the configuration in force was loaded'),
  trigger: triggerSchema,
  source: orNull(Type.String({ description: 'Its file; null without one' })),
  watching: Type.Boolean({ description: 'A change of the file, or of one that it names, reloads it' }),
  operation: orNull(
    Type.Object(
      {
        kind: Type.Unsafe<'reload' | 'restart'>({ type: 'string', enum: ['reload', 'restart'] }),
        startedAt: time('Its beginning'),
        done: Type.Integer({ description: 'Processes that have been replaced, for a restart' }),
        total: Type.Integer(),
      },
      { description: 'What is under way' },
    ),
  ),
  lastFailure: orNull(
    Type.Object(
      { code: Type.String(), message: Type.String(), ...failureMembers, at: time('When'), trigger: triggerSchema },
      { description: 'The last try that failed, until one has succeeded' },
    ),
  ),
  reloads: Type.Object({ succeeded: Type.Integer(), failed: Type.Integer() }),
  settings: Type.Unknown({ description: 'As people write it, defaults filled in, secrets redacted' }),
})

const outcomeSchema = Type.Object({
  outcome: Type.Unsafe<'reloaded' | 'unchanged' | 'restarting'>({
    type: 'string',
    enum: ['reloaded', 'unchanged', 'restarting'],
    description: 'unchanged: certificates have been read again; restarting: processes are being replaced, one by one',
  }),
  version: Type.Integer(),
  changes: Type.Array(changeSchema),
})

const refused = (description: string) => ({
  description,
  content: {
    'application/problem+json': {
      schema: Type.Object({ ...problemSchema.properties, ...failureMembers }),
    },
  },
})

const refusals = {
  409: refused('A restart is needed for some change, or another reload is under way'),
  422: refused('The configuration has faults, which are listed'),
}

/** The configuration in force, what a reload would change, and the reload itself. */
const configRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/config',
    {
      schema: {
        tags: ['performance'],
        summary: 'The configuration in force, and what became of the last reload',
        security: adminSecurity,
        response: { 200: reportSchema, ...controlProblems },
      },
    },
    async () => (await fastify.control.ask('config')).result,
  )
  fastify.get(
    '/config/diff',
    {
      schema: {
        tags: ['performance'],
        summary: 'What a reload would change',
        description: 'The file is read and validated as for a reload, and compared with what runs. Nothing is changed.',
        security: adminSecurity,
        response: {
          200: Type.Object({
            source: orNull(Type.String()),
            version: Type.Integer({ description: 'Of the configuration in force' }),
            changes: Type.Array(changeSchema),
          }),
          422: refusals[422],
          ...controlProblems,
        },
      },
    },
    async (request, reply) => {
      const { result } = await fastify.control.ask('config-preview')
      if (!result.valid) return refuse(request, reply, result.failure)
      return result
    },
  )
  fastify.post(
    '/config/reload',
    {
      config: { scope: 'configure' },
      schema: {
        tags: ['performance'],
        summary: 'Reload the configuration',
        description:
          'Read, validated and put into force whole, or not at all: then what runs goes on as it is, and the answer says why. Answered when the new configuration is in force; what is in flight is finished as it began.',
        security: adminSecurity,
        querystring: Type.Object(
          {
            force: Type.Boolean({
              default: false,
              description: 'Where nothing has changed, replace the processes all the same, one after another',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: outcomeSchema, 202: outcomeSchema, ...refusals, ...controlProblems },
      },
    },
    async (request, reply) => {
      const { force } = request.query
      const { results } = await fastify.control.tell('config-reload', { trigger: 'request', force })
      const [outcome] = results
      if (outcome === undefined || outcome.outcome === 'refused') {
        return refuse(request, reply, (outcome as { failure: ReloadFailure }).failure)
      }
      void reply.code(outcome.outcome === 'restarting' ? 202 : 200)
      return outcome
    },
  )
  fastify.post(
    '/restart',
    {
      config: { scope: 'configure' },
      schema: {
        tags: ['performance'],
        summary: 'Restart the processes, one after another',
        description:
          'Each is replaced by one with the same configuration, which serves before the old one stops. Answered when it has begun: GET /config tells how far it is.',
        security: adminSecurity,
        response: {
          202: reportSchema,
          409: problem('There is one process alone, or a reload or restart is under way'),
          ...controlProblems,
        },
      },
    },
    async (_request, reply) => {
      await fastify.control.tell('restart')
      void reply.code(202)
      return (await fastify.control.ask('config')).result
    },
  )
}

/** A problem document with what was wrong as data. */
function refuse(
  { id }: FastifyRequest,
  reply: FastifyReply,
  { code, message, status, problems, changes }: ReloadFailure,
): FastifyReply {
  const title = STATUS_CODES[status] ?? 'Error'
  const body = { type: 'about:blank', title, status, code, detail: message, requestId: id, problems, changes }
  return (
    reply
      .code(status)
      .header('content-type', 'application/problem+json')
      // Bytes: to text Fastify would add a charset, which the media type does not have.
      .send(Buffer.from(JSON.stringify(body)))
  )
}

export default configRoutes
