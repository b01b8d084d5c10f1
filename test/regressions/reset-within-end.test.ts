import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Test, test } from 'tap'
import { resetSocket } from '../../services/http/reset.ts'
import { PATIENCE } from '../helper.ts'

/** A connection, and how its other end has seen it go: the code of an error, or nothing. */
async function connection(t: Test): Promise<{ socket: Socket; seen: Promise<string | undefined> }> {
  const seen = Promise.withResolvers<string | undefined>()
  const server = createServer((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => seen.resolve(error.code))
    socket.on('close', () => seen.resolve(undefined)).resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, seen: seen.promise }
}

test('a connection that is reset while its FIN is under way is closed', { timeout: PATIENCE }, async (t) => {
  const { socket, seen } = await connection(t)
  const shutdown = Promise.withResolvers<void>()
  const handle = (socket as unknown as { _handle: { shutdown(request: object): number } })._handle
  const original = handle.shutdown
  handle.shutdown = function (request) {
    const result = original.call(this, request)
    shutdown.resolve()
    return result
  }
  const closed = once(socket, 'close')
  socket.end()
  await shutdown.promise
  resetSocket(socket)
  await closed
  t.equal(await seen, undefined)
})

test('a connection that has not begun to end is reset', { timeout: PATIENCE }, async (t) => {
  const { socket, seen } = await connection(t)
  resetSocket(socket)
  t.equal(await seen, 'ECONNRESET')
})
