import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ServedDocuments } from '../services/openapi/served-documents.ts'

/** The documents that routes go by (mocks, validation): loaded once the instance is ready, and given up with it. It shares nothing. */
export interface SpecificationsOptions {
  documents: ServedDocuments
}

async function specifications(fastify: FastifyInstance, { documents }: SpecificationsOptions): Promise<void> {
  fastify.addHook('onReady', async () => documents.start())
  fastify.addHook('onClose', async () => documents.close())
}

export default fp(specifications, { name: 'headrace-specifications', fastify: '5.x' })
