import type ValidatorFactory from '@fastify/ajv-compiler'
import type SerializerFactory from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import fp from 'fastify-plugin'
import { onDemand } from '../services/lifetime/on-demand.ts'

const validatorFactory = onDemand<typeof ValidatorFactory>('@fastify/ajv-compiler')
const serializerFactory = onDemand<typeof SerializerFactory>('@fastify/fast-json-stringify-compiler')

/**
 * Compiles each schema of a route when a request first needs it. Fastify does so at the start, for every response of every
 * page, which was half of the time that a data plane took to start; most pages of most processes are never asked for.
 *
 * It acts on the routes of its scope, registered after it. Schemas shared with `addSchema` are not known here: give it to
 * scopes whose schemas are whole. A schema that cannot be compiled fails the request, not the start.
 */
async function lazySchemas(fastify: FastifyInstance): Promise<void> {
  // Its type says that it takes a schema; it takes what Fastify gives.
  const validators = once(
    () => validatorFactory()()({}, { customOptions: {} }) as unknown as FastifySchemaCompiler<unknown>,
  )
  const serializers = once(() => serializerFactory()()({}))

  fastify.setValidatorCompiler<unknown>((route) => {
    const compiled = once(() => validators()(route))
    const validate: FastifyValidationResult = (data) => {
      const valid = compiled()(data)
      validate.errors = compiled().errors ?? null
      return valid
    }
    return validate
  })
  fastify.setSerializerCompiler<unknown>(({ schema, method, url, httpStatus = '' }) => {
    const serialize = once(() => serializers()({ schema, method, url, httpStatus }))
    return (data: unknown) => serialize()(data)
  })
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

export default fp(lazySchemas, { name: 'headrace-lazy-schemas', fastify: '5.x' })
