import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { MockDocuments } from '../services/mock/documents.ts'

/** The documents that mocked routes answer from: loaded once the instance is ready, and given up with it. It shares nothing. */
export interface MocksOptions {
  documents: MockDocuments
}

async function mocks(fastify: FastifyInstance, { documents }: MocksOptions): Promise<void> {
  fastify.addHook('onReady', async () => documents.start())
  fastify.addHook('onClose', async () => documents.close())
}

export default fp(mocks, { name: 'headrace-mocks', fastify: '5.x' })
