import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { EventEmitter, on, once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { test, type Test } from 'tap'
import { stringify } from 'yaml'
import { connectRaw } from './raw-client.ts'
import { startUpstream, type Upstream } from './upstream-server.ts'

/** Processes are started and must boot, with others on the machine. */
const PATIENCE_MS = 150_000

interface Started {
  /** Leader of a process group of its own, as a shell makes it: what is sent to the group reaches its children too. */
  child: ChildProcess
  port: number
  dataDir: string
}

/** The command, before an upstream. */
function prepare(t: Test, processes: number, upstream: Upstream): { cwd: string; cli: string } {
  const cwd = t.testdir({})
  const config = {
    listen: { port: 0 },
    admin: { port: 0 },
    processes,
    drainTimeout: '40s',
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/*': { to: 'origin' } },
  }
  writeFileSync(join(cwd, 'headrace.config.yaml'), stringify(config))
  return { cwd, cli: fileURLToPath(new URL('../cli.ts', import.meta.url)) }
}

/** Without a terminal, as in a container: all that it says is one line of JSON after the other. */
async function start(
  t: Test,
  processes: number,
  upstream: Upstream,
  ...options: string[]
): Promise<Started & { said: Said[]; says: (what: Partial<Said>) => Promise<void>; file: string }> {
  const { cwd, cli } = prepare(t, processes, upstream)
  const child = spawn(process.execPath, [cli, 'serve', ...options], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: Said[] = []
  const heard = new EventEmitter<{ line: [entry: Said] }>()
  const listening = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Said
    said.push(entry)
    heard.emit('line', entry)
    if (entry.msg === 'Listening') listening.resolve(entry.addresses?.find(({ kind }) => kind === 'public')?.url ?? '')
  })
  child.once('exit', () => listening.reject(new Error('The command ended before it listened')))
  /** Resolves once it says something from now on that has these members. */
  const says = async (what: Partial<Said>): Promise<void> => {
    const isMeant = (entry: Said): boolean =>
      Object.entries(what).every(([key, value]) => entry[key as keyof Said] === value)
    for await (const [entry] of on(heard, 'line')) if (isMeant(entry as Said)) return
  }
  const port = Number(new URL(await listening.promise).port)
  return { child, port, dataDir: join(cwd, '.headrace'), said, says, file: join(cwd, 'headrace.config.yaml') }
}

interface Said {
  msg: string
  level: number
  addresses?: { kind: string; url: string }[]
  signal?: string
  requests?: number
  connections?: number
  trigger?: string
  code?: string
  version?: number
}

/** util-linux' `script`, which gives a command a terminal; the one of BSD takes other options. */
const SCRIPT = process.platform === 'linux' ? '/usr/bin/script' : ''

/** On a terminal of its own, with what stands on it. */
async function startOnTerminal(
  t: Test,
  processes: number,
  upstream: Upstream,
): Promise<{ child: ChildProcess; port: number; shows: (what: RegExp) => Promise<RegExpExecArray> }> {
  const { cwd, cli } = prepare(t, processes, upstream)
  // `exec`: a shell that stayed between would get the terminal's signals too, and answer for the command.
  const command = `exec ${process.execPath} ${cli} serve`
  const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let screen = ''
  const shows = async (what: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = what.exec(screen)
      if (found !== null) return found
      const [text] = (await once(child.stdout, 'data')) as [Buffer]
      screen += stripVTControlCharacters(text.toString())
    }
  }
  const [, port] = await shows(/public +http:\/\/127\.0\.0\.1:(\d+)[^]*Try\r?\n/)
  return { child, port: Number(port), shows }
}

const toGroup = ({ child }: Started, signal: NodeJS.Signals): boolean => process.kill(-child.pid!, signal)

for (const processes of [1, 2]) {
  void test(`Ctrl-C reaches every process of the group and loses no request (processes: ${processes})`, {
    timeout: PATIENCE_MS,
  }, async (t) => {
    const release = Promise.withResolvers<void>()
    const upstream = await startUpstream(t, async (exchange) => {
      await release.promise
      await exchange.respond(200, [], 'whole')
    })
    const started = await start(t, processes, upstream)
    const answers = []
    for (let index = 0; index < 6; index++) {
      const raw = await connectRaw(t, { port: started.port })
      answers.push(raw.exchange('GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n'))
    }
    await upstream.received(6)
    const exited = once(started.child, 'close')
    toGroup(started, 'SIGINT')
    // Refused connections say that the drain has begun, in every process.
    await untilRefused(started.port)
    release.resolve()
    for (const { status, body } of await Promise.all(answers)) t.same([status, String(body)], [200, 'whole'])
    t.strictSame(await exited, [0, null])
    t.match(
      started.said.find(({ msg }) => msg === 'Draining'),
      { level: 30, signal: 'SIGINT', requests: 6, connections: Number },
    )
    t.notOk(existsSync(join(started.dataDir, 'admin-address')), 'the address is taken away')
  })

  void test(`Ctrl-C on a terminal says what is waited for, and a second one ends it, with 1 (processes: ${processes})`, {
    timeout: PATIENCE_MS,
    skip: !existsSync(SCRIPT),
  }, async (t) => {
    const upstream = await startUpstream(t, (exchange) => exchange.stall())
    const { child, port, shows } = await startOnTerminal(t, processes, upstream)
    for (let index = 0; index < 2; index++) {
      const raw = await connectRaw(t, { port })
      await raw.send('GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n')
    }
    await upstream.received(2)
    const exited = once(child, 'exit')
    child.stdin?.write('\x03')
    await shows(
      /\n {2}drain {2}2 requests in flight, until \d\d:\d\d:\d\d at the latest {2}Ctrl-C again ends it now\r?\n/,
    )
    child.stdin?.write('\x03')
    t.strictSame(await exited, [1, null])
    // Whichever process had it: its connection to the upstream ends with it.
    await upstream.closed(0)
  })
}

void test('SIGHUP reloads, and so does a change of the file that is watched; a faulty one is told and changes nothing', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], exchange.request.target))
  const started = await start(t, 1, upstream, '--watch')
  const { says, file } = started
  const text = readFileSync(file, 'utf8')
  const get = async (): Promise<string> => {
    const raw = await connectRaw(t, { port: started.port })
    return String((await raw.exchange('GET /a HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')).body)
  }
  const refused = says({ level: 50, trigger: 'signal', code: 'HR_RELOAD_INVALID', version: 1 })
  const refusedToo = says({ level: 50, trigger: 'watch', code: 'HR_RELOAD_INVALID', version: 1 })
  writeFileSync(file, text.replace('to: origin', 'to: nowhere'))
  toGroup(started, 'SIGHUP')
  await Promise.all([refused, refusedToo])
  t.equal(await get(), '/a')

  const reloaded = says({ level: 30, trigger: 'watch', msg: 'Configuration reloaded', version: 2 })
  writeFileSync(file, text.replace('to: origin', 'to: origin\n    rewrite: /b/*'))
  await reloaded
  t.equal(await get(), '/b/a')
  const again = says({ level: 30, trigger: 'signal', version: 2 })
  toGroup(started, 'SIGHUP')
  await again
  const exited = once(started.child, 'close')
  started.child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
})

void test('a gateway ends with the terminal that it was started on', {
  timeout: PATIENCE_MS,
  skip: process.platform !== 'linux',
}, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'x'))
  const { child, port } = await startOnTerminal(t, 1, upstream)
  const pid = Number(execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' }))
  t.teardown(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  })
  child.kill('SIGKILL')
  await untilRefused(port)
  t.pass('the system sends SIGHUP')
})

/** Connects again and again: what the kernel accepts before the last process stops listening may be reset. */
async function untilRefused(port: number): Promise<void> {
  for (let code: unknown; code !== 'ECONNREFUSED'; ) {
    const socket = connect({ port, host: '127.0.0.1' })
    code = await once(socket, 'connect').then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    )
    socket.on('error', () => {}).destroy()
  }
}
