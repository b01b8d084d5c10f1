import type { FastifyInstance, FastifyReply } from 'fastify'
import { nextLink, paginate } from '../http/keyset.ts'
import { problems } from '../http/problem.ts'
import { type Collection, type CollectionContext, componentOf, type Row, tableOf, titleOf } from './definition.ts'
import { listQuery, pageOf, rowOf, rowParams } from './schemas.ts'

type Query = Record<string, string | number | boolean | undefined>

/** `GET /<name>`: filtered, searched, sorted, in pages. */
export function registerList(app: FastifyInstance, collection: Collection, { fleet }: CollectionContext): void {
  const { name } = collection
  const table = tableOf(name, fleet)
  const schema = {
    operationId: `list${componentOf(collection)}`,
    summary: `List ${titleOf(collection)}`,
    tags: [name],
    querystring: listQuery(collection),
    response: { 200: pageOf(collection), ...problems(400) },
  }
  app.get<{ Querystring: Query }>(`/${name}`, { schema }, async (request, reply) => {
    const { limit, after, sort } = request.query
    const page = paginate(select(table.rows(), request.query, collection), {
      limit: Number(limit),
      after: after?.toString(),
      sort: sort?.toString(),
    })
    if (page.after !== null) reply.header('link', nextLink(request.url.split('?')[1] ?? '', page.after))
    describe(reply, { cacheControl: collection.cacheControl, modifiedAt: table.modifiedAt, keys: name })
    return page
  })
}

/** `GET /<name>/:id`. */
export function registerRow(app: FastifyInstance, collection: Collection, { fleet }: CollectionContext): void {
  const { name } = collection
  const table = tableOf(name, fleet)
  const schema = {
    operationId: `get${componentOf(collection)}`,
    summary: `One of the ${titleOf(collection)}`,
    tags: [name],
    params: rowParams,
    response: { 200: rowOf(collection), ...problems(400, 404) },
  }
  app.get<{ Params: { id: number } }>(`/${name}/:id`, { schema }, async (request, reply) => {
    const row = table.get(request.params.id)
    const keys = `${name} ${name}-${row.id}`
    describe(reply, { cacheControl: collection.cacheControl, modifiedAt: Date.parse(row.updatedAt), keys })
    return row
  })
}

function select(rows: Row[], query: Query, { filters, search }: Collection): Row[] {
  const wanted = filters.filter((field) => query[field] !== undefined)
  const text = search && query['q'] !== undefined ? String(query['q']).toLowerCase() : undefined
  return rows.filter(
    (row) =>
      wanted.every((field) => row[field] === query[field]) &&
      (text === undefined || search?.some((field) => String(row[field]).toLowerCase().includes(text))),
  )
}

/** The fields that caches read; the ETag comes with the body (http/conditional.ts). */
function describe(reply: FastifyReply, facts: { cacheControl: string; modifiedAt: number; keys: string }): void {
  reply
    .header('cache-control', facts.cacheControl)
    .header('last-modified', new Date(facts.modifiedAt).toUTCString())
    .header('surrogate-key', facts.keys)
}
