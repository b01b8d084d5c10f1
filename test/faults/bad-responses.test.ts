import { t as root } from 'tap'
import { everyProtocol, gatewayBefore, isProblem } from '../helper.ts'
import type { Play } from '../upstream-server.ts'

const say =
  (text: string): Play =>
  async (exchange) => {
    await exchange.body()
    await exchange.send(text)
    exchange.fin()
  }
const head = (fields: string, status = '200 OK'): Play => say(`HTTP/1.1 ${status}\r\n${fields}\r\n`)

const BEFORE_THE_BODY: [name: string, play: Play][] = [
  ['a reset before the response', (exchange) => exchange.reset()],
  ['an end before the response', (exchange) => exchange.fin()],
  [
    'a reset within the head',
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Le')
      exchange.reset()
    },
  ],
  ['an end within the head', say('HTTP/1.1 200 OK\r\nContent-Le')],
  ['an end within the status line', say('HTTP/1.')],
  ['garbage', (exchange) => exchange.garbage()],
  ['HTTP/0.9', say('<html>hello</html>\r\n\r\n')],
  ['a status that is no number', head('Content-Length: 0\r\n', 'abc OK')],
  ['a status of four digits', head('Content-Length: 0\r\n', '2000 OK')],
  ['a status below 100', head('Content-Length: 0\r\n', '042 OK')],
  ['a field name with a space', head('X A: 1\r\nContent-Length: 0\r\n')],
  ['a field without a colon', head('nonsense\r\nContent-Length: 0\r\n')],
  ['NUL in a value', head('X-A: a\0b\r\nContent-Length: 0\r\n')],
  ['a control character in a value', head('X-A: a\x01b\r\nContent-Length: 0\r\n')],
  ['a bare CR in a value', head('X-A: a\rX-B: b\r\nContent-Length: 0\r\n')],
  ['two different lengths', head('Content-Length: 0\r\nContent-Length: 3\r\n')],
  ['a length that is none', head('Content-Length: abc\r\n')],
  ['a negative length', head('Content-Length: -1\r\n')],
  ['length and chunked', say('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')],
  ['an unknown transfer coding', say('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc')],
  ['chunked that is not last', say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n')],
  ['a coding before chunked', say('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n')],
  ['a head of a megabyte', head(`X-Large: ${'x'.repeat(2 ** 20)}\r\nContent-Length: 0\r\n`)],
  ['a head of many fields', head(`${'X-A: b\r\n'.repeat(60_000)}Content-Length: 0\r\n`)],
]

/** One gateway for all rows: what one bad answer leaves behind, the next request must not feel. */
let started: ReturnType<typeof gatewayBefore> | undefined
const shared = (): ReturnType<typeof gatewayBefore> =>
  (started ??= gatewayBefore(root, (exchange) => {
    const [, protocol, row] = exchange.request.target.split('/')
    const play = protocol === 'good' ? undefined : BEFORE_THE_BODY[Number(row)]?.[1]
    return play ? play(exchange) : exchange.respond(200, [], 'good')
  }))

for (const [row, [name]] of BEFORE_THE_BODY.entries()) {
  everyProtocol(`${name} is answered 502`, async (t, protocol) => {
    const { gateway, upstream } = await shared()
    const client = await gateway.client(protocol)
    const path = `/${protocol}/${row}`
    isProblem(t, await client.request({ path }), 502)
    isProblem(t, await client.request({ method: 'POST', path, body: 'abc' }), 502)
    const posts = upstream.requests.filter(({ method, target }) => method === 'POST' && target === path)
    t.equal(posts.length, 1, 'a POST is sent once')
    t.equal((await client.request({ path: '/good' })).body.toString(), 'good', 'the next request is served')
  })
}
