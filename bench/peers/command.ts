/** Runs a contender that is a command of its own, configured by a file: nginx, Varnish, and Headrace as people start it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../ports.ts'
import { announce } from './peer.ts'

const START_ATTEMPTS = 200
const START_INTERVAL_MS = 50
/** Of a command's errors, the last. */
const ERROR_CHARACTERS = 4_000

/** Where a command runs. */
export interface Place {
  /** For its files; lasts as long as the command. */
  folder: string
  port: number
  /** For TLS with HTTP/2. */
  securePort: number
}

/** How to start a command that takes its ports from a file or its arguments. */
export interface Command {
  file: string
  /** Name and content of its configuration, written into the folder. */
  configuration: (place: Place) => { name: string; text: string }
  args: (configurationFile: string, place: Place) => string[]
  /** The processes that do the work, once it answers; by default the command itself. */
  workers?: (pid: number) => number[]
  /** Whether it serves on the secure port as well. */
  secure: boolean
}

/** A connection alone would not do: a process may listen for one that it has yet to start. */
async function answers(port: number): Promise<boolean> {
  try {
    await (await fetch(`http://127.0.0.1:${port}/json/1k`)).arrayBuffer()
    return true
  } catch {
    return false // not yet
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // not listening yet
  } finally {
    socket.destroy()
  }
}

/**
 * Starts the command, announces it once it answers, and ends with it. A command that isn't installed is announced as
 * unavailable. Its standard output is thrown away, as to /dev/null; its standard error, which some programs use for
 * conversation, is shown when it ends by itself.
 */
export async function serve({ file, configuration, args, workers, secure }: Command): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const tidyUp = (): void => rmSync(folder, { recursive: true, force: true })
  process.on('exit', tidyUp)
  const place: Place = { folder, port: await freePort(), securePort: await freePort() }
  const { port, securePort } = place
  const { name, text } = configuration(place)
  const path = join(folder, name)
  writeFileSync(path, text)

  const command = spawn(file, args(path, place), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERROR_CHARACTERS)
  })
  command.on('error', (error: NodeJS.ErrnoException) => {
    tidyUp() // nothing runs that would end this process in order
    announce({ unavailable: error.code === 'ENOENT' ? `${file} is not installed` : error.message })
  })
  const { pid } = command
  if (pid === undefined) return
  command.on('close', (code) => {
    if (!command.killed) console.error(errors)
    process.exit(code ?? 1)
  })
  process.on('exit', () => command.kill())
  // It may tidy up in the folder as it ends: this process, and with it the folder, stays until then.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => command.kill())
  for (let attempt = 0; !(await answers(port)) || (secure && !(await accepts(securePort))); attempt++) {
    if (attempt === START_ATTEMPTS) throw new Error(`${file} does not answer on port ${port}: ${errors}`)
    await delay(START_INTERVAL_MS)
  }
  announce({
    url: `http://127.0.0.1:${port}`,
    secureUrl: secure ? `https://127.0.0.1:${securePort}` : null,
    pids: workers?.(pid) ?? [pid],
  })
}
