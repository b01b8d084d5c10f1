/**
 * The service behind every contender, below `node:http`: it shares a core with the load, and what it costs takes
 * throughput from the contender that is measured. It answers GET `/json/1k`, `/json/100k` and, for caches to keep,
 * all below `/cached/`; and POST `/sink` with 204. It reads `content-length` only: a contender that changes the framing
 * gets 411, and the round is invalid. On the message `served` it says how many requests it has answered.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { announce, tell } from './peers/peer.ts'

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

function document(body: string, ...others: string[]): Buffer {
  const fields = ['Content-Type: application/json; charset=utf-8', `Content-Length: ${body.length}`, 'ETag: "bench"']
  return response('200 OK', [...fields, ...others], body)
}

const small = json(1024)
const large = json(102_400)

/** Answers by method and path; rebuilt once a second for Date. */
function answers(): Map<string, Buffer> {
  return new Map([
    ['GET /json/1k', document(small)],
    ['GET /json/100k', document(large)],
    ['GET /cached/', document(small, 'Cache-Control: public, max-age=3600')],
    ['POST /sink', response('204 No Content', [], '')],
  ])
}

/** @param line a request's first */
function answerTo(line: string): Buffer | undefined {
  return current.get(line.startsWith('GET /cached/') ? 'GET /cached/' : line.slice(0, line.lastIndexOf(' ')))
}

let served = 0
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
        answer = answerTo(head.slice(0, head.indexOf('\r\n')))
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
      served++
      answer = undefined
    }
  })
}

const server = createServer({ noDelay: true }, serve)
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo
  announce({ url: `http://127.0.0.1:${port}`, secureUrl: null, pids: [process.pid] })
})
process.on('message', () => tell({ served }))
