import type { FastifyInstance } from 'fastify'
import type { Lane } from '../services/lane/lane.ts'
import type { RequestHandlers } from '../services/listener/handlers.ts'

/** Hooks that see a request: one of the user's on the gateway takes every route off the lane. */
const REQUEST_HOOKS = new Set([
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'preSerialization',
  'onSend',
  'onResponse',
  'onError',
  'onTimeout',
  'onRequestAbort',
])

export interface HandlerParts {
  app: FastifyInstance
  lane: Lane
  /** Hits are answered ahead of `node:http` (`cache.early`). */
  early: boolean
  /** What decides about load, and is asked at the socket; `null` where nothing is turned away. */
  pressure: { readonly active: boolean } | null
}

/** What the listeners give requests to: the lane, and Fastify behind it. */
export function requestHandlers({ app, lane, early, pressure }: HandlerParts): RequestHandlers {
  const answersHits = early && lane.caches
  return {
    head: answersHits || pressure !== null ? (head, socket) => lane.head(head, socket) : null,
    wantsHeads: () => answersHits || pressure?.active === true,
    request: (request, response) => lane.request(request, response),
    stream: (stream, headers, rawHeaders) => lane.stream(stream, headers, rawHeaders),
    upgrade: (request, early) => lane.upgrade(request, early),
    connect: (stream, headers, rawHeaders) => lane.connect(stream, headers, rawHeaders),
    fallback: (request, response) => app.routing(request as never, response as never),
    broke: (request, error) => lane.brokeOff(request, error),
  }
}

/**
 * Takes every request off the lane once a hook of the user's on the gateway wants to see it: it would see none there. Scopes
 * within inherit `addHook`; their hooks are for their own routes, which the lane leaves to Fastify anyway. Call it when the
 * gateway's own hooks are there.
 */
export function leaveLaneForHooks(app: FastifyInstance, lane: Lane): void {
  const { addHook } = app as unknown as { addHook: (this: unknown, name: string, hook: unknown) => unknown }
  app.addHook = function (this: unknown, name: string, hook: unknown) {
    if (this === app && REQUEST_HOOKS.has(name)) lane.off = `the hook ${name}`
    return addHook.call(this, name, hook)
  } as never
}
