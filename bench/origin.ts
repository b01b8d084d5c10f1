/**
 * The service behind every contender, below `node:http`: it shares a core with the load, and what it costs takes
 * throughput from the contender that is measured. It answers GET `/json/1k` and `/json/100k`, and POST `/sink`
 * with 204. It reads `content-length` only: a contender that changes the framing gets 411, and the round is invalid.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { announce } from './peers/peer.ts'

const HEAD_END = Buffer.from('\r\n\r\n')

function json(bytes: number): string {
  const items: string[] = []
  let length = 12
  for (let id = 1; ; id++) {
    const item = `{"id":${id},"plate":"HR-${1000 + id}","status":"active","odometerKm":${id * 137}}`
    if (length + item.length + 1 > bytes) break
    length += item.length + 1
    items.push(item)
  }
  return `{"items":[${items.join(',')}]}`.padEnd(bytes, ' ')
}

function response(status: string, fields: string[], body: string): Buffer {
  const head = [`HTTP/1.1 ${status}`, ...fields, `Date: ${new Date().toUTCString()}`, 'Connection: keep-alive']
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function document(body: string): Buffer {
  const fields = ['Content-Type: application/json; charset=utf-8', `Content-Length: ${body.length}`, 'ETag: "bench"']
  return response('200 OK', fields, body)
}

const small = json(1024)
const large = json(102_400)

/** Answers by request line; rebuilt once a second for Date. */
function answers(): Map<string, Buffer> {
  return new Map([
    ['GET /json/1k HTTP/1.1', document(small)],
    ['GET /json/100k HTTP/1.1', document(large)],
    ['POST /sink HTTP/1.1', response('204 No Content', [], '')],
  ])
}

let current = answers()
setInterval(() => {
  current = answers()
}, 1000).unref()

function refuse(socket: Socket, status: string): void {
  socket.end(response(status, ['Content-Length: 0'], ''))
}

/** Reads one message after the other from a connection and answers each when it is complete. */
function serve(socket: Socket): void {
  let rest: Buffer | null = null
  let bodyBytes = 0
  let answer: Buffer | undefined
  socket.on('error', () => socket.destroy()) // a contender that drops its connections is no trouble of ours
  socket.on('data', (data: Buffer) => {
    let bytes = rest === null ? data : Buffer.concat([rest, data])
    rest = null
    while (bytes.length > 0 || (answer !== undefined && bodyBytes === 0)) {
      if (answer === undefined) {
        const end = bytes.indexOf(HEAD_END)
        if (end < 0) {
          rest = bytes
          return
        }
        const head = bytes.toString('latin1', 0, end)
        answer = current.get(head.slice(0, head.indexOf('\r\n')))
        if (answer === undefined) return refuse(socket, '404 Not Found')
        bodyBytes = 0
        if (head.startsWith('POST')) {
          const length = /\r\ncontent-length: *(\d+)/i.exec(head)
          if (length === null) return refuse(socket, '411 Length Required')
          bodyBytes = Number(length[1])
        }
        bytes = bytes.subarray(end + HEAD_END.length)
      }
      const taken = Math.min(bodyBytes, bytes.length)
      bodyBytes -= taken
      bytes = bytes.subarray(taken)
      if (bodyBytes > 0) return
      socket.write(answer)
      answer = undefined
    }
  })
}

const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', 4096, () => {
  announce({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pids: [process.pid] })
})
