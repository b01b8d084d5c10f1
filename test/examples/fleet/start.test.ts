import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { commandsToTry } from '../../../examples/fleet/commands.ts'

const START = fileURLToPath(new URL('../../../examples/fleet/start.ts', import.meta.url))
/** `npm start` keeps them in the repository's own folder. */
const KEYS = fileURLToPath(new URL('../../../.headrace/fleet', import.meta.url))
const FREE = ['--port', '0']

interface Started {
  child: ChildProcess
  /** What it has printed once everything listens. */
  text: string
  output: { stdout: string; stderr: string }
  exit: Promise<number | null>
}

interface Ended {
  code: number | null
  stderr: string
}

function run(t: Test, cwd: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [START, ...args], {
    cwd,
    env: { ...process.env, HTTPS_PORT: '0', LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const exit = once(child, 'close').then(([code]) => code as number | null)
  return { child, output, exit }
}

/** Runs what `npm start` runs, until its banner is whole. */
async function start(t: Test, cwd: string, args = FREE): Promise<Started> {
  const { child, output, exit } = run(t, cwd, args)
  const shown = new Promise<void>((done) => {
    child.stdout?.on('data', () => {
      if (/\n {2}Try\n[^]*\n\n$/.test(output.stdout)) done()
    })
  })
  await Promise.race([shown, exit])
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output.stderr}`)
  return { child, text: output.stdout, output, exit }
}

async function fails(t: Test, cwd: string, args: string[], env?: Record<string, string>): Promise<Ended> {
  const { output, exit } = run(t, cwd, args, env)
  return { code: await exit, stderr: output.stderr }
}

interface Curl {
  url: string
  http2: boolean
  headers: Record<string, string>
}

/** Reads a command as the shell and curl would. An option that is not known here is an error: nothing goes untested. */
function parseCurl(command: string, cwd: string): Curl {
  const words = [...command.matchAll(/"((?:\$\([^)]*\)|[^"])*)"|'([^']*)'|(\S+)/g)].map(
    (m) => m[1] ?? m[2] ?? m[3] ?? '',
  )
  const curl: Curl = { url: '', http2: false, headers: {} }
  for (let i = 1; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '-i' || word === '-k') continue
    if (word === '--http2') curl.http2 = true
    else if (word === '-H') {
      const [name = '', value = ''] = (words[++i] ?? '').split(': ')
      curl.headers[name] = value.replace(/\$\(cat '([^']+)'\)/, (_, file: string) =>
        readFileSync(resolve(cwd, file), 'utf8').trim(),
      )
    } else if (word.startsWith('http') && curl.url === '') curl.url = word
    else throw new Error(`what is ${word} in ${command}?`)
  }
  return curl
}

async function request({ url, http2, headers }: Curl): Promise<{ status: number; body: unknown }> {
  if (!http2) {
    const response = await fetch(url, { headers })
    return { status: response.status, body: await response.json() }
  }
  const { origin, pathname, search } = new URL(url)
  const session = connectHttp2(origin, { rejectUnauthorized: false })
  const stream = session.request({ ':path': pathname + search, ...headers })
  const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
  let text = ''
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  session.close()
  return { status: Number(head[':status']), body: JSON.parse(text) }
}

const commandsIn = (text: string): string[] =>
  [...text.matchAll(/^ {2}(curl .+)$/gm)].map(([, command = '']) => command)

void test('the example', async (t) => {
  // One for all that only asks it something.
  const cwd = t.testdir()
  const started = await start(t, cwd)
  await t.test('shows where it listens, the docs, what is off, and commands that all work as printed', (t) =>
    showsWhatToTry(t, started.text, cwd),
  )
  await t.test('shows prefixes, rewriting and methods in its routes', (t) => showsRoutes(t, started.text))
  await t.test(
    'has three consumers with the limits of their tiers, the audit log for operators, and a way without limits',
    (t) => showsLimits(t, started.text),
  )
  await t.test('ends with its fleet API', async (t) => {
    started.child.kill('SIGINT')
    t.equal(await started.exit, 0, 'Ctrl-C ends both')
    const fleet = /fleet +(\S+)/.exec(started.text)?.[1] ?? ''
    await t.rejects(fetch(fleet))
  })
})

async function showsWhatToTry(t: Test, text: string, cwd: string): Promise<void> {
  t.notMatch(text, '\u001b', 'no colours where there is no terminal')
  t.match(
    text,
    /^\nHeadrace \S+\n\n {2}public +http:\S+ +HTTP\/1\.1\n {2}public +https:\S+ +HTTP\/2, HTTP\/1\.1\n {2}fleet +http:\S+ .*\n {2}fleet +http:\S+ .*\n\n {2}docs +http:\S+\/docs\n\n {2}off .*REDIS_URL\n {2}off .*DATABASE_URL\n\n {2}Try\n/,
  )
  const commands = commandsIn(text)
  t.equal(commands.length, 5)
  const answers = []
  for (const command of commands) answers.push(await request(parseCurl(command, cwd)))
  t.match(answers, [
    { status: 200, body: { items: [{ id: 1 }, { id: 2 }, { id: 3 }], total: 240 } },
    { status: 200 },
    { status: 200, body: { status: /^(healthy|degraded)$/ } },
    { status: 200, body: { id: 7 } },
    { status: 502, body: { status: 502, code: /^HR_/, requestId: String } },
  ])
  const docs = /docs +(\S+)/.exec(text)?.[1] ?? ''
  t.equal((await fetch(docs)).status, 200)
}

async function showsRoutes(t: Test, text: string): Promise<void> {
  const url = /public +(http:\S+)/.exec(text)?.[1] ?? ''
  const photo = await fetch(`${url}/photos/7`)
  t.equal(photo.headers.get('content-type'), 'image/jpeg')
  t.equal((await fetch(`${url}/public/vehicles/7`)).status, 200)
  t.equal((await fetch(`${url}/public/vehicles/7`, { method: 'DELETE' })).status, 405)
  const away = await fetch(`${url}/api/chaos/302`, { redirect: 'manual' })
  t.equal(away.headers.get('location'), '/api/vehicles?limit=3')
  const live = await fetch(`${url}/live`)
  t.equal(live.headers.get('content-type'), 'text/event-stream')
  await live.body?.cancel()
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object }
  t.match(Object.keys(document.paths), { length: Number })
  t.ok('/api/vehicles/{id}' in document.paths && '/photos/{id}' in document.paths)
}

async function showsLimits(t: Test, text: string): Promise<void> {
  const url = /public +(http:\S+)/.exec(text)?.[1] ?? ''
  const keyOf = (name: string): string => readFileSync(resolve(KEYS, `${name}.key`), 'utf8').trim()
  const ask = (path: string, name?: string): Promise<Response> =>
    fetch(url + path, { headers: name === undefined ? {} : { 'x-api-key': keyOf(name) } })
  t.equal((await ask('/api/audit-log?limit=1')).status, 401)
  t.equal((await ask('/api/audit-log/1', 'workshop')).status, 403)
  t.equal((await ask('/api/audit-log?limit=1', 'dispatch')).status, 200)
  for (const [name, quota] of Object.entries({
    dispatch: 'gold";q=6000;',
    workshop: 'silver";q=600;',
    reports: 'bronze";q=60;',
  })) {
    const policy = (await ask('/api/vehicles?limit=1', name)).headers.get('ratelimit-policy') ?? ''
    t.match(policy, `tier ${quota}`, name)
    t.notMatch(policy, 'q=3000', `what those without a key share is not for ${name}`)
  }
  t.match((await ask('/api/vehicles?limit=1')).headers.get('ratelimit-policy'), /^"[^"]*";q=3000;w=60$/)
  const statuses = await Promise.all(Array.from({ length: 25 }, () => ask('/api/vehicles?limit=1', 'reports')))
  t.ok(
    statuses.some(({ status }) => status === 429),
    'reports has asked more often than it may',
  )
  t.equal((await ask('/api/vehicles?limit=1', 'dispatch')).status, 200, 'the others have not')
  const free = await Promise.all(Array.from({ length: 25 }, () => ask('/load/vehicles?limit=1', 'reports')))
  t.ok(free.every(({ status, headers }) => status === 200 && headers.get('ratelimit') === null))
}

void test('a configuration in the folder takes the place of the example', async (t) => {
  const config = { listen: { port: 0 }, admin: { port: 0 }, dataDir: './data', upstreams: {}, routes: {} }
  const cwd = t.testdir({ 'headrace.config.json': JSON.stringify(config) })
  const { child, text, exit } = await start(t, cwd, [])
  t.notMatch(text, /fleet|\/api\//)
  t.match(text, /admin +http:/)
  const commands = commandsIn(text)
  t.equal(commands.length, 2, 'those that make sense without the fleet API and TLS')
  for (const command of commands) t.equal((await request(parseCurl(command, cwd))).status, 200, command)
  t.ok(existsSync(resolve(cwd, 'data')))
  child.kill('SIGTERM')
  t.equal(await exit, 0)
})

void test('a busy port is named in one line, with the way to choose another', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const busy = String((other.address() as AddressInfo).port)
  const cases: [args: string[], env: Record<string, string>, remedy: string][] = [
    [['--port', busy], {}, 'PORT=9000 npm start, or npm start -- --port 9000'],
    [FREE, { HTTPS_PORT: busy }, 'HTTPS_PORT='],
  ]
  for (const [args, env, remedy] of cases) {
    const { code, stderr } = await fails(t, t.testdir(), args, env)
    t.equal(code, 1)
    t.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    t.match(stderr, busy)
    t.match(stderr, remedy)
  }
})

void test('a port that is none ends it with the reason, an unknown option with the usage', async (t) => {
  const port = await fails(t, t.testdir(), ['--port', '70000'])
  t.equal(port.code, 1)
  t.match(port.stderr, /^--port listen\[0\]\.port\n.*65535/)
  const option = await fails(t, t.testdir(), ['--prot', '80'])
  t.equal(option.code, 2)
  t.match(option.stderr, 'Usage: npm start')
})

void test('a generated token is printed on a terminal only, a configured one never', async (t) => {
  const config = resolveConfig({ admin: { shared: true } }, { root: '/srv/gateway' })
  const address = { kind: 'public' as const, url: 'http://0.0.0.0:8080', protocols: ['http/1.1'] }
  const text = (terminal: boolean, tokenGenerated: boolean): string =>
    commandsToTry({
      config,
      running: { addresses: [address], token: 't0ken', tokenGenerated },
      fleet: false,
      terminal,
      cwd: '/srv',
    })
      .map(({ command }) => command)
      .join('\n')
  t.match(text(true, true), 'Bearer t0ken"')
  t.match(text(true, true), 'http://127.0.0.1:8080/health', 'an address that can be asked, also where all are bound')
  t.match(text(false, true), `Bearer $(cat 'gateway/.headrace/admin-token')"`)
  t.match(text(true, false), 'Bearer $HEADRACE_ADMIN_TOKEN"')
  t.notMatch(text(true, false) + text(false, false) + text(false, true), 't0ken')
})
