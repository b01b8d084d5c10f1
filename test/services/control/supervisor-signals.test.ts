import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'

interface Said {
  ready?: true
  closed?: true
  pid?: number
  port?: number
  message?: string
}

/** Starts supervised.ts. `until` resolves with the first line that fits, of those not taken yet. */
function start(
  t: Test,
  ...args: string[]
): { child: ChildProcess; until: (fits: (said: Said) => boolean) => Promise<Said> } {
  const entry = fileURLToPath(new URL('./supervised.ts', import.meta.url))
  // So few descriptors that a process can take them all.
  const limited = ['-c', 'ulimit -n 200 && exec "$0" "$@"', process.execPath, entry, ...args]
  const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    child,
    until: async (fits) => {
      for (;;) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error('The supervisor ended before it said so')
        const said = JSON.parse(value) as Said
        if (fits(said)) return said
      }
    },
  }
}

const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void test(`${signal} drains every process, then ends the supervisor`, async (t) => {
    const { child, until } = start(t)
    const { pid } = await until((said) => said.pid !== undefined)
    await until((said) => said.ready === true)
    const exited = once(child, 'exit')
    child.kill(signal)
    await until((said) => said.message === 'Draining')
    await until((said) => said.closed === true)
    t.strictSame(await exited, [0, null])
    t.notOk(exists(pid!))
  })
}

void test('a second signal ends everything at once, with code 1', async (t) => {
  const { child, until } = start(t, 'never-drain')
  await until((said) => said.ready === true)
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await until((said) => said.message === 'Draining')
  // The pipe is theirs too: it ends when the last of them has.
  const silent = once(child.stdout!, 'close')
  child.kill('SIGTERM')
  t.strictSame(await exited, [1, null])
  await silent
})

void test('a process that is told to end alone drains and is replaced', async (t) => {
  const { child, until } = start(t)
  const { pid } = await until((said) => said.pid !== undefined)
  await until((said) => said.ready === true)
  process.kill(pid!, 'SIGTERM')
  await until((said) => said.message === 'Process ended; starting another')
  await until((said) => said.message === 'Process ready')
  t.notOk(exists(pid!))
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
})

void test('processes do not outlive a supervisor that is killed', async (t) => {
  const { child, until } = start(t)
  await until((said) => said.ready === true)
  // Their stdout is the supervisor's: the pipe ends when the last of them has.
  const silent = once(child.stdout!, 'close')
  child.kill('SIGKILL')
  await silent
  t.pass('the pipe was closed')
})

void test('processes do not outlive a supervisor that is killed, though a thread of theirs waits for a file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const { child, until } = start(t, 'drain', pipe)
  // Until somebody writes to it, nobody can open it to read.
  t.teardown(() => {
    closeSync(openSync(pipe, constants.O_RDWR))
    rmSync(folder, { recursive: true })
  })
  await until((said) => said.ready === true)
  const silent = once(child.stdout!, 'close')
  child.kill('SIGKILL')
  await silent
  t.pass('the pipe was closed')
})

void test('a process without a file descriptor left is replaced: node:cluster hands it no more connections', async (t) => {
  const { child, until } = start(t)
  const { port } = await until((said) => said.port !== undefined)
  await until((said) => said.ready === true)
  const open = (path: string): Socket => {
    const socket = connect(port!, '127.0.0.1').on('error', () => undefined)
    t.teardown(() => socket.destroy())
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    return socket
  }
  // It stays open: its end would leave room for another.
  const full = open('/full')
  // By turns: some of these are for the one that is full.
  const asking = setInterval(() => open('/').end(), 5)
  t.teardown(() => clearInterval(asking))
  await until((said) => said.message?.endsWith('starting another') === true)
  await until((said) => said.message === 'Process ready')
  clearInterval(asking)
  full.destroy()
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await until((said) => said.closed === true)
  await exited
})
