import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { PATIENCE } from '../helper.ts'

const moduleOf = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)

/**
 * A gateway before two targets that has a client, and takes every descriptor it may have; then it gives them back. What it
 * has answered and what it thinks of its targets is written out.
 */
const SCRIPT = `
  import { once } from 'node:events'
  import { closeSync, openSync } from 'node:fs'
  import { Agent, createServer, request } from 'node:http'
  import { resolveConfig } from ${moduleOf('config/resolve.ts')}
  import { serve } from ${moduleOf('server.ts')}
  const started = async (server) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return 'http://127.0.0.1:' + server.address().port
  }
  const answer = (_request, response) => response.setHeader('connection', 'close').end('well')
  const targets = [await started(createServer(answer)), await started(createServer(answer))]
  const upstreams = { api: { targets, breaker: { failures: 3 } } }
  const routes = { '/*': { to: 'api' }, '/own': { answer: { status: 204 } } }
  const input = { listen: { port: 0 }, admin: false, log: { level: 'silent' }, upstreams, routes }
  const running = await serve(resolveConfig(input, { root: '/' }))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (path) =>
    new Promise((resolve, reject) => {
      const sent = request(running.addresses[0].url + path, { agent }, async (response) => {
        let text = ''
        for await (const piece of response) text += piece
        const { code } = response.statusCode === 503 ? JSON.parse(text) : {}
        resolve([response.statusCode, code, response.headers['retry-after']].join(' ').trim())
      })
      sent.on('error', reject)
      sent.end()
    })
  const answers = [await ask('/own')] // the client has its connection
  const taken = []
  try {
    while (true) taken.push(openSync('/dev/null'))
  } catch {}
  for (let i = 0; i < 12; i++) answers.push(await ask('/'))
  for (const one of taken) closeSync(one)
  for (let i = 0; i < 4; i++) answers.push(await ask('/'))
  console.log(JSON.stringify(answers))
  process.exit()
`

void test('a gateway without a descriptor left says so, and holds nothing against its targets', {
  skip: process.platform === 'win32',
  timeout: PATIENCE,
}, async (t) => {
  const limited = 'ulimit -n 120 && exec "$0" --input-type=module --eval "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, SCRIPT])
  const none = '503 HR_UPSTREAM_RESOURCES 2'
  t.same(JSON.parse(stdout), ['204', ...Array.from({ length: 12 }, () => none), '200', '200', '200', '200'])
})
