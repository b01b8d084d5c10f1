/** Runs a contender that is a command of its own, configured by a file: nginx, and Headrace as people start it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { announce } from './peer.ts'

const START_ATTEMPTS = 200
const START_INTERVAL_MS = 50

/** How to start a command that takes its port from a file. */
export interface Command {
  file: string
  /** Name and content of its configuration, written into a folder that lasts as long as the command. */
  configuration: (folder: string, port: number) => { name: string; text: string }
  args: (configurationFile: string, folder: string) => string[]
  /** The processes that do the work, once it accepts connections; by default the command itself. */
  workers?: (pid: number) => number[]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
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
 * Starts the command, announces it once it accepts connections, and ends with it. A command that isn't installed is
 * announced as unavailable. Its standard output is thrown away, as to /dev/null; its errors are shown.
 */
export async function serve({ file, configuration, args, workers = (pid) => [pid] }: Command): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const { name, text } = configuration(folder, port)
  const path = join(folder, name)
  writeFileSync(path, text)

  const command = spawn(file, args(path, folder), { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  command.on('error', (error: NodeJS.ErrnoException) => {
    announce({ unavailable: error.code === 'ENOENT' ? `${file} is not installed` : error.message })
  })
  const { pid } = command
  if (pid === undefined) return
  command.on('exit', (code) => process.exit(code ?? 1))
  process.on('exit', () => command.kill())
  // It may tidy up in the folder as it ends: this process, and with it the folder, stays until then.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => command.kill())
  for (let attempt = 0; !(await accepts(port)); attempt++) {
    if (attempt === START_ATTEMPTS) throw new Error(`${file} does not accept connections on port ${port}`)
    await delay(START_INTERVAL_MS)
  }
  announce({ url: `http://127.0.0.1:${port}`, pids: workers(pid) })
}
