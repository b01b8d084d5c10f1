import type { RouteOptions } from '../routing/options.ts'
import { httpOrigin } from '../upstream/prior-knowledge.ts'
import { describe, type RelatedDocument } from './describe.ts'
import { objectOf, type JsonObject, type OpenapiWarning } from './document.ts'
import { systemClock, UpstreamDocuments, type DocumentState } from './documents.ts'
import { merge, type MergeResult } from './merge.ts'
import type { RequestUpstream, SpecificationSource } from './source.ts'

/** What a merged document is made of, besides the specifications themselves. */
export interface DocumentParts {
  /** The gateway's own document (`fastify.swagger()`). */
  gateway: JsonObject
  upstreams: readonly DocumentedUpstream[]
  routes: readonly RouteOptions[]
  /** Paths that the gateway answers itself and does not document; with a trailing `/*`, all below as well. */
  reserved?: readonly string[]
  related?: RelatedDocument | null
}

/** The part of an upstream's options that its documentation needs. */
export interface DocumentedUpstream {
  name: string
  targets: readonly { origin: string }[]
  /** A path on the upstream, a `file:` URL, or `null` for none. */
  openapi: string | null
}

/** The specifications that the configuration names. */
export function sourcesOf(upstreams: readonly DocumentedUpstream[]): SpecificationSource[] {
  return upstreams.flatMap(({ name, targets, openapi }) =>
    openapi === null
      ? []
      : [{ upstream: name, location: openapi, targets: targets.map(({ origin }) => httpOrigin(origin)) }],
  )
}

/** The merged document of what is known now, with an introduction that says what is missing. */
export function compose(parts: DocumentParts, states: readonly DocumentState[]): MergeResult {
  const specifications = states.flatMap(({ specification }) => specification ?? [])
  const { document, warnings } = merge({
    gateway: parts.gateway,
    specifications,
    routes: parts.routes,
    reserved: parts.reserved ?? [],
  })
  const services = parts.upstreams.map(({ name }) => ({
    upstream: name,
    routes: parts.routes.filter((route) => route.to === name && route.docs).map((route) => route.key),
    document: specifications.find(({ upstream }) => upstream === name)?.document,
    isMissing: states.some((state) => state.source.upstream === name && state.specification === undefined),
  }))
  const shown = services.filter(({ routes }) => routes.length > 0)
  const introduction = describe(objectOf(parts.gateway['info']), shown, parts.related ?? null)
  // a stale document still shown, and one that never came: both are worth a word
  const failures = states.flatMap(({ failure }) => failure ?? [])
  return { document: { ...document, ...introduction }, warnings: [...failures, ...warnings] }
}

/**
 * Loads every specification once and merges them: what `headrace openapi` prints. Never throws for a specification that
 * cannot be had or read: the warnings say so, and the document goes without it.
 *
 * @throws HR_ROUTE_INVALID for routes that no configuration lets through
 */
export async function buildDocument(parts: DocumentParts & { request: RequestUpstream }): Promise<MergeResult> {
  const documents = new UpstreamDocuments({
    sources: sourcesOf(parts.upstreams),
    request: parts.request,
    onWarning: (_warning: OpenapiWarning) => {}, // they come back in the result
    clock: { ...systemClock, after: () => () => {} }, // one attempt
  })
  try {
    return compose(parts, await documents.refresh())
  } finally {
    documents.close()
  }
}
