import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { sourcesOf, type DocumentedUpstream } from '../services/openapi/build.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import type { JsonObject, OpenapiWarning } from '../services/openapi/document.ts'
import { SpecificationUnavailableError } from '../services/openapi/errors.ts'
import { UpstreamDocuments } from '../services/openapi/documents.ts'
import type { KnownSpecifications } from '../services/openapi/known-specifications.ts'
import { PublishedDocument } from '../services/openapi/published.ts'
import type { RequestUpstream } from '../services/openapi/source.ts'
import type { RouteOptions } from '../services/routing/options.ts'

/**
 * One OpenAPI 3.1 document of everything served here: the documented routes of this scope (and of those below it), and
 * the operations of the upstreams' own specifications at the gateway's paths; and Swagger UI over it, from local assets.
 *
 * Register it before the routes that it shall document. It shares `openapiDocument`. Specifications load in the
 * background: the gateway never waits for them or fails with them.
 */
export interface OpenapiOptions {
  /** Path of the Swagger UI, or `false`. */
  docs: string | false
  /** Path of the document, or `false`. */
  openapi: string | false
  info: { title: string; version: string; description: string }
  upstreams?: readonly DocumentedUpstream[]
  routes?: readonly RouteOptions[]
  /** Paths that the gateway answers besides, documented or not; with a trailing `/*`, all below as well. */
  reserved?: readonly string[]
  /** Routes at and below these paths want the admin token: they are documented so, and "Authorize" takes it. */
  protectedPaths?: readonly string[]
  /** Asks an upstream for its specification; needed where one is configured by path. */
  request?: RequestUpstream
  /** What upstreams said before: shown until they say it again. By default, nothing. */
  known?: KnownSpecifications
  /** The other plane's documents, where it has a listener of its own; asked at each build, its port may come late. */
  related?(): RelatedDocument | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The merged document, built when it is asked for. */
    openapiDocument: PublishedDocument
  }
}

const ADMIN_TOKEN = 'adminToken'

async function openapi(fastify: FastifyInstance, options: OpenapiOptions): Promise<void> {
  const { upstreams = [], routes = [], docs: docsPath, openapi: openapiPath } = options
  const docs = docsPath === false ? false : docsPath.replace(/(?<=.)\/+$/, '')
  await registerSwagger(fastify, options)

  const onWarning = ({ code, upstream, message }: OpenapiWarning): void =>
    fastify.log.warn({ code, upstream }, `upstream '${upstream}': ${message}`)
  const documents = new UpstreamDocuments({
    sources: sourcesOf(upstreams),
    request: options.request ?? unreachable,
    known: options.known,
    onWarning,
  })
  const reserved = [...(options.reserved ?? [])]
  if (docs !== false) reserved.push(`${docs === '/' ? '' : docs}/*`)
  if (openapiPath !== false) reserved.push(openapiPath)
  const published = new PublishedDocument({
    documents,
    parts: { upstreams, routes, reserved },
    // a plain copy: what schemas carry besides JSON has no place in it
    gateway: () => JSON.parse(JSON.stringify(fastify.swagger())) as JsonObject,
    related: () => options.related?.() ?? null,
    onWarning,
  })
  fastify.decorate('openapiDocument', published)
  fastify.addHook('onReady', async () => documents.start())
  fastify.addHook('onClose', async () => documents.close())

  if (openapiPath !== false) {
    fastify.get(openapiPath, { schema: { hide: true } }, (request, reply) => serve(published, request, reply))
  }
  if (docs !== false) await registerPage(fastify, docs, options.info.title, published)
}

async function registerSwagger(fastify: FastifyInstance, options: OpenapiOptions): Promise<void> {
  const protectedPaths = options.protectedPaths ?? []
  const scheme = { type: 'http', scheme: 'bearer', description: 'The admin token of this gateway' } as const
  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: options.info,
      ...(protectedPaths.length > 0 ? { components: { securitySchemes: { [ADMIN_TOKEN]: scheme } } } : {}),
    },
    transform: ({ schema, url }) => {
      const isProtected = protectedPaths.some((path) => url === path || url.startsWith(`${path}/`))
      const settled = schema ?? {}
      // a wildcard is a way through, not an operation: what it leads to has documents of its own
      if (url.includes('*')) return { schema: { ...settled, hide: true }, url }
      return { schema: isProtected ? { security: [{ [ADMIN_TOKEN]: [] }], ...settled } : settled, url }
    },
  })
}

async function registerPage(
  fastify: FastifyInstance,
  docs: string,
  title: string,
  published: PublishedDocument,
): Promise<void> {
  let latest: JsonObject = {}
  await fastify.register(swaggerUi, {
    routePrefix: docs,
    uiHooks: {
      preHandler: async (request: FastifyRequest) => {
        if (/\/(json|yaml)$/.test(request.routeOptions.url ?? '')) latest = (await published.current()).document
      },
    },
    transformSpecification: () => latest,
    transformSpecificationClone: false,
    theme: { title, css: [{ filename: 'headrace.css', content: PAGE_CSS }] },
    // no persistAuthorization: a proxied page of this origin could read the token out of the browser's store
    uiConfig: { deepLinking: true, displayRequestDuration: true, docExpansion: 'list' },
  })
}

/** The bar holds the address of the document and another vendor's logo; the page says both better itself. */
const PAGE_CSS = '.swagger-ui .topbar { display: none }\n.swagger-ui .info { margin: 32px 0 }\n'

/** GET of the document, or 304 where the client has it (RFC 9110, §13.1.2). */
async function serve(
  published: PublishedDocument,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { body, etag } = await published.current()
  reply.header('etag', etag).header('cache-control', 'no-cache')
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known?.some((tag) => tag === etag || tag === '*')) return reply.code(304).send()
  return reply.type('application/json; charset=utf-8').send(body)
}

const unreachable: RequestUpstream = () =>
  Promise.reject(new SpecificationUnavailableError("the plugin has no 'request' to ask upstreams with"))

export default fp(openapi, { name: 'headrace-openapi', fastify: '5.x' })
