import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Access } from '../services/access/access.ts'
import { guardedRequest } from '../services/access/guarded-request.ts'
import { accessFrom, type AccessSettings, guardFrom, type GuardInput } from '../services/access/plugin-options.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { Exchange } from '../services/downstream/exchange.ts'
import type { Identity } from '../services/downstream/identity.ts'
import type { Peer } from '../services/downstream/peer.ts'
import { CollectedReply } from '../services/downstream/collected-reply.ts'
import { ANSWERED } from '../services/gate/gate.ts'
import { Gates } from '../services/gate/gates.ts'
import type { GatewayError } from '../services/http/problem.ts'

/**
 * Who may call. In the gateway the gates stand ahead of Fastify, in the lane: what is answered from the cache never comes
 * here. It answers the control port's `consumers`, obeys `consumers-reload`, and adds no hook.
 *
 * Alone in an application (`settings` in place of `access`) it guards the routes that have `config.access` and are registered
 * after it, before their bodies are parsed: who may not call gets the error of the gate, or what a login or a service that was
 * asked answers, and who may is `request.identity`. The pages of logins are `routes/logins`, with the plugin `logins`.
 *
 * It shares `access`.
 *
 * @throws HR_ACCESS_OPTION, HR_ACCESS_WAY, HR_ACCESS_CONSUMERS_FILE, HR_ACCESS_CONSUMER_CONFLICT, HR_ACCESS_KEY_SET
 */
export type AccessPluginOptions =
  | { access: Access; local: Pick<LocalControl, 'answer' | 'obey'> }
  | {
      /** As `access` of the configuration, without `identity`: who calls is `request.identity`. */
      settings: AccessSettings
      /** The folder that relative paths start from; default: the working directory. */
      root?: string
      /** Where what is revoked is kept; default: `.headrace` in `root`. */
      dataDir?: string
    }

declare module 'fastify' {
  interface FastifyInstance {
    /** Who may call: consumers, and what was decided of them. */
    access: Access
  }
  interface FastifyRequest {
    /** Who calls a guarded route; `undefined` for nobody, where that may be. In the gateway: `exchange.identity`. */
    identity?: Identity | undefined
  }
  interface FastifyContextConfig {
    /** Who may call, as `access` of a route in the configuration. */
    access?: GuardInput
  }
}

async function accessPlugin(fastify: FastifyInstance, options: AccessPluginOptions): Promise<void> {
  if ('access' in options) {
    const { access, local } = options
    fastify.decorate('access', access)
    local.answer({ consumers: () => access.report() })
    local.obey({
      'consumers-reload': () => {
        const failure = access.consumers.reload()
        if (failure !== null) throw failure
      },
    })
    return
  }
  const { settings, root = process.cwd(), dataDir = '.headrace' } = options
  const resolved = accessFrom(settings, { toPath: (path) => resolve(root, path), dataDir })
  // Routes come later, and may ask for what they like.
  const access = new Access(resolved, [{ key: '*', access: guardFrom(['key']) }], { log: fastify.log })
  access.start()
  fastify.addHook('onClose', async () => access.close())
  fastify.decorate('access', access)
  fastify.decorateRequest('identity')
  guardRoutes(fastify, access)
}

/** Asks the gates of each route with `config.access`, as the first thing that is done with its requests' bodies. */
function guardRoutes(fastify: FastifyInstance, access: Access): void {
  const peers = new WeakMap<object, Peer>()
  const guards = new WeakSet<object>()
  fastify.addHook('onRoute', (route) => {
    const { access: wanted } = route.config ?? {}
    const before = [route.preParsing ?? []].flat()
    // The HEAD that Fastify adds to a GET has the guard of that already.
    if (wanted === undefined || before.some((hook) => guards.has(hook))) return
    const guarded = { key: route.url, access: guardFrom(wanted) }
    const gates = new Gates(access.makers.map((make) => make(guarded)).filter((gate) => gate !== null))
    const guard = async (request: FastifyRequest, reply: FastifyReply, payload: Readable): Promise<Readable> => {
      const answer = new CollectedReply()
      const exchange = guardedRequest(request, { payload, peers, answer })
      exchange.plan = guarded
      const verdict = await gates.check(exchange)
      if (verdict === ANSWERED) await send(reply, answer)
      else {
        // What only this client is told, whoever answers: the cookies of a session that was refreshed.
        exchange.reply.head(0, [], null)
        addFields(reply, answer.answer?.fields)
      }
      if (verdict instanceof Error) refuse({ exchange, reply }, verdict)
      access.finished(exchange)
      if (verdict instanceof Error) throw verdict
      request.identity = exchange.identity
      // One whose digest was compared has been read, and comes again.
      return exchange.body ?? payload
    }
    guards.add(guard)
    route.preParsing = [guard as never, ...before]
  })
}

/** What the error comes with: `WWW-Authenticate`, `Retry-After`. */
function refuse(
  { exchange, reply }: { exchange: Exchange<{ key: string }>; reply: FastifyReply },
  { statusCode = 500, code, fields }: GatewayError,
): void {
  addFields(reply, fields)
  exchange.status = statusCode
  exchange.code = code
}

/** Resolves when it has gone out: nothing else answers then. */
async function send(reply: FastifyReply, { answer }: CollectedReply): Promise<void> {
  const { status = 500, fields, body = null } = answer ?? {}
  addFields(reply, fields)
  await reply.code(status).send(body ?? undefined)
}

/** Beside those of the same name that there are. */
function addFields(reply: FastifyReply, fields: readonly string[] = []): void {
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string]
    const before = reply.getHeader(name)
    // Fastify adds cookies by itself.
    reply.header(name, before === undefined || name === 'set-cookie' ? value : [before, value].flat())
  }
}

export default fp(accessPlugin, { name: 'headrace-access', fastify: '5.x' })
