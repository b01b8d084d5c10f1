/**
 * The container's health check: `healthcheck.ts PORT [PATH]` asks the first listener for `/health`, over TLS where that is
 * what it speaks. Exit code 0 where it answers, else 1.
 */
import { get } from 'node:http'
import { get as getOverTls } from 'node:https'

const [port = '8080', path = '/health'] = process.argv.slice(2)

/** @returns the status; `undefined` where nothing is answered */
function ask(request: typeof get | typeof getOverTls): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  // A certificate names hosts, and not the loopback.
  request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }, (response) => {
    response.resume()
    resolve(response.statusCode)
  }).on('error', () => resolve(undefined))
  return promise
}

// A port for TLS answers what comes in the clear with 400.
const BAD_REQUEST = 400
const plain = await ask(get)
const isOverTls = plain === undefined || plain === BAD_REQUEST
const status = (isOverTls ? await ask(getOverTls) : plain) ?? plain ?? 503
process.exit(status < 400 ? 0 : 1)
