import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Fields } from '../data/table.ts'
import { PreconditionFailed, UnknownReference } from '../errors.ts'
import { entityTag, evaluate } from '../http/conditional.ts'
import { problems } from '../http/problem.ts'
import { type Collection, type CollectionContext, componentOf, type Row, tableOf, titleOf } from './definition.ts'
import { changeBody, createBody, rowOf, rowParams } from './schemas.ts'

interface RowParams {
  Params: { id: number }
}

/** `POST /<name>`, where the collection says how rows are made: 201 with Location and ETag. */
export function registerCreate(app: FastifyInstance, collection: Collection, context: CollectionContext): void {
  const { name, create } = collection
  if (!create) return
  const table = tableOf(name, context.fleet)
  const schema = {
    operationId: `create${componentOf(collection)}`,
    summary: `Add to the ${titleOf(collection)}`,
    tags: [name],
    body: createBody(collection, create),
    response: { 201: rowOf(collection), ...problems(400, 422, 507) },
  }
  app.post<{ Body: Fields<Row> }>(`/${name}`, { schema }, async (request, reply) => {
    requireReferences(collection, request.body, context)
    const row = table.insert({ ...create.defaults, ...request.body }, context.now())
    audit(request, context, { action: 'create', resource: name, resourceId: row.id, fields: Object.keys(request.body) })
    reply
      .code(201)
      .header('location', `/${name}/${row.id}`)
      .header('etag', tagOf(row, collection, reply))
    return row
  })
}

/** `PATCH /<name>/:id`, where the collection names fields that change: If-Match is honoured, not demanded. */
export function registerChange(app: FastifyInstance, collection: Collection, context: CollectionContext): void {
  const { name, change } = collection
  if (!change) return
  const table = tableOf(name, context.fleet)
  const schema = {
    operationId: `change${componentOf(collection)}`,
    summary: `Change one of the ${titleOf(collection)}`,
    tags: [name],
    params: rowParams,
    body: changeBody(collection, change),
    response: { 200: rowOf(collection), ...problems(400, 404, 412, 422) },
  }
  app.patch<RowParams & { Body: Partial<Fields<Row>> }>(`/${name}/:id`, { schema }, async (request, reply) => {
    const { id } = request.params
    requireUnchanged(request, table.get(id), tagOf(table.get(id), collection, reply))
    requireReferences(collection, request.body, context)
    const row = table.update(id, request.body, context.now())
    audit(request, context, { action: 'update', resource: name, resourceId: id, fields: Object.keys(request.body) })
    reply.header('etag', tagOf(row, collection, reply))
    return row
  })
}

/** `DELETE /<name>/:id`, where the collection allows it. */
export function registerRemove(app: FastifyInstance, collection: Collection, context: CollectionContext): void {
  const { name } = collection
  if (!collection.removable) return
  const table = tableOf(name, context.fleet)
  const schema = {
    operationId: `remove${componentOf(collection)}`,
    summary: `Remove one of the ${titleOf(collection)}`,
    tags: [name],
    params: rowParams,
    response: { 204: Type.Null({ description: 'Removed' }), ...problems(400, 404, 412) },
  }
  app.delete<RowParams>(`/${name}/:id`, { schema }, async (request, reply) => {
    const { id } = request.params
    requireUnchanged(request, table.get(id), tagOf(table.get(id), collection, reply))
    table.remove(id, context.now())
    audit(request, context, { action: 'delete', resource: name, resourceId: id, fields: [] })
    return reply.code(204).send()
  })
}

/** The tag that a GET of the row carries: made of the same bytes. */
function tagOf(row: Row, { schema }: Collection, reply: FastifyReply): string {
  return entityTag(reply.serializeInput(row, schema as object as Record<string, unknown>))
}

/** RFC 9110 §13.1.1, §13.1.2 and §13.1.4; If-Modified-Since is for GET and HEAD only. */
function requireUnchanged(request: FastifyRequest, row: Row, etag: string): void {
  const { 'if-modified-since': _, ...conditions } = request.headers
  const lastModified = new Date(row.updatedAt).toUTCString()
  if (evaluate(conditions, { etag, lastModified }) !== 'proceed') throw new PreconditionFailed()
}

function requireReferences({ references }: Collection, written: object, { fleet }: CollectionContext): void {
  for (const [field, name] of Object.entries(references ?? {})) {
    const id: unknown = Reflect.get(written, field)
    if (name !== undefined && typeof id === 'number' && !fleet[name].has(id)) {
      throw new UnknownReference(id, name, field)
    }
  }
}

interface Deed {
  action: 'create' | 'update' | 'delete'
  resource: string
  resourceId: number
  fields: string[]
}

function audit(request: FastifyRequest, { fleet, now }: CollectionContext, deed: Deed): void {
  const actor = request.headers['x-actor']?.toString().slice(0, 80) ?? 'anonymous'
  fleet['audit-log'].insert({ actor, ...deed }, now())
}
