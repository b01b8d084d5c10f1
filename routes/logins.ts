import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Login, Redirect, Visit } from '../services/access/oidc/login.ts'
import { problem } from './schemas.ts'
import { Type } from '../services/options/type.ts'

const redirected = { 302: Type.Null({ description: 'Where the browser goes next' }) }
const problems = {
  400: problem('It was not begun in this browser, or took too long'),
  403: problem('The identity provider, or the gateway, says no'),
  503: problem('The identity provider does not answer as it should'),
}

/** Where browsers log in, come back to, and log out, for each login of the gateway. Nothing here is kept by any cache. */
const loginRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  if (!fastify.hasReplyDecorator('setCookie')) await fastify.register(import('@fastify/cookie'))
  for (const login of fastify.logins) {
    const { options } = login
    const tags = ['login']
    fastify.get(
      options.login,
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          summary: `Log in (${options.name})`,
          querystring: Type.Object({
            to: Type.Optional(
              Type.String({ maxLength: 2048, description: 'A path of this gateway to go to afterwards' }),
            ),
          }),
          response: { ...redirected, ...problems },
        },
      },
      async (request, reply) => send(reply, await login.begin(visitOf(request, login), request.query.to)),
    )
    fastify.get(
      options.callback,
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          summary: `Where the identity provider sends browsers back to (${options.name})`,
          response: { ...redirected, ...problems },
        },
      },
      async (request, reply) => send(reply, await login.finish(visitOf(request, login), queryOf(request))),
    )
    fastify.get(
      options.logout,
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          summary: `End the session, here and at the identity provider (${options.name})`,
          response: { ...redirected, ...problems },
        },
      },
      async (request, reply) => send(reply, await login.end(visitOf(request, login))),
    )
  }
}

/** As admission has found out who asks, which knows of trusted proxies; inside another application, as that one says. */
function visitOf(request: FastifyRequest, { options }: Login): Visit {
  const { scheme, authority } = request.exchange ?? { scheme: request.protocol, authority: request.host }
  const site = request.headers['sec-fetch-site']
  return {
    origin: options.origin ?? `${scheme}://${authority}`,
    header: request.headers.cookie,
    isCrossSite: site === 'cross-site',
  }
}

function queryOf({ url }: FastifyRequest): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at)
}

function send(reply: FastifyReply, { location, cookies }: Redirect): FastifyReply {
  for (const { name, value, maxAgeS } of cookies) {
    void reply.setCookie(name, value, { path: '/', httpOnly: true, secure: true, sameSite: 'lax', maxAge: maxAgeS })
  }
  return reply.header('cache-control', 'no-store').redirect(location, 302)
}

export default loginRoutes
