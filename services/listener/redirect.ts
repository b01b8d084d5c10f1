import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { randomUUID } from 'node:crypto'
import { canonicalTarget } from '../http/canonical-path.ts'
import { HostError, TargetError } from '../http/errors.ts'
import { parseAuthority } from '../http/host.ts'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../http/problem.ts'
import type { RequestHandlers } from './handlers.ts'
import { answerStream } from './http2.ts'

const HTTPS_PORT = 443
const HOST = new HostError('is missing or malformed')
const TARGET = new TargetError('is no path')

/**
 * Handlers of a listener with `redirect: 'https'`: every request is sent to the same host and path over https with 308,
 * which keeps method and body (RFC 9110 §15.4.9). What names no host or no path is 400.
 *
 * @param httpsPort port of the https listener as clients reach it
 */
export function redirectToHttps(httpsPort: () => number): Omit<RequestHandlers, 'broke'> {
  function locate(target: string, host: string | undefined): string | GatewayError {
    const absolute = /^https?:\/\/([^/?#]*)([^]*)$/i.exec(target)
    // RFC 9112 §3.2.2: the authority of an absolute target takes the place of Host.
    const authority = parseAuthority(absolute?.[1] ?? host ?? '')
    if (authority === undefined) return HOST
    const rest = absolute?.[2] ?? target
    const path = canonicalTarget(rest.startsWith('/') || rest === '*' ? rest : `/${rest}`)
    if (typeof path === 'string') return TARGET
    const port = httpsPort()
    return `https://${authority.name}${port === HTTPS_PORT ? '' : `:${port}`}${path.path}${path.query}`
  }

  return {
    head: null,
    request(request: IncomingMessage, response: ServerResponse): boolean {
      const hosts = request.headersDistinct.host ?? []
      const location = locate(request.url as string, hosts.length > 1 ? undefined : hosts[0])
      request.resume()
      if (typeof location === 'string') {
        response.writeHead(308, ['location', location, 'content-length', '0'])
        response.end()
      } else {
        response.writeHead(400, ['content-type', PROBLEM_TYPE, 'connection', 'close'])
        response.end(JSON.stringify(problemOf(location, randomUUID())))
      }
      return true
    },
    stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
      const location = locate(headers[':path'] as string, headers[':authority'] ?? headers.host)
      stream.resume()
      if (typeof location === 'string') stream.respond({ ':status': 308, location }, { endStream: true })
      else answerStream(stream, location)
      return true
    },
    fallback(_request, response) {
      // Never reached: both handlers above answer everything.
      response.end()
    },
  }
}
