/**
 * The floor for a cache on Node: `node:http` and `node:http2` by their documented ways, which answer everything with the
 * one answer that was asked of the origin at the start. What a cache has to find out costs nothing here.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { announce, argument } from './peer.ts'

const BACKLOG = 4_096

const response = await fetch(`${argument('origin')}/cached/1k`)
const body = Buffer.from(await response.arrayBuffer())
const fields = ['content-type', 'content-length', 'etag', 'cache-control', 'date'].flatMap((name) => [
  name,
  response.headers.get(name) ?? '',
])
const streamFields = [':status', '200', ...fields]

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', BACKLOG, resolve))
  return (server.address() as AddressInfo).port
}

const plain = createServer({ keepAliveTimeout: 72_000 }, (_request, reply) => {
  reply.writeHead(200, fields)
  reply.end(body)
})
const certificate = argument('certificate')
const secure = createSecureServer({
  cert: readFileSync(join(certificate, 'cert.pem')),
  key: readFileSync(join(certificate, 'key.pem')),
})
secure.on('stream', (stream: ServerHttp2Stream) => {
  stream.respond(streamFields)
  stream.end(body)
})

announce({
  url: `http://127.0.0.1:${await listen(plain)}`,
  secureUrl: `https://127.0.0.1:${await listen(secure)}`,
  pids: [process.pid],
})
