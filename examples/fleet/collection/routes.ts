import type { FastifyInstance } from 'fastify'
import type { Collection, CollectionContext } from './definition.ts'
import { registerList, registerRow } from './reads.ts'
import { registerChange, registerCreate, registerRemove } from './writes.ts'

/** All routes of one collection: the reading ones always, the writing ones that its definition asks for. */
export function registerCollection(app: FastifyInstance, collection: Collection, context: CollectionContext): void {
  app.addSchema(collection.schema)
  registerList(app, collection, context)
  registerRow(app, collection, context)
  registerCreate(app, collection, context)
  registerChange(app, collection, context)
  registerRemove(app, collection, context)
}
