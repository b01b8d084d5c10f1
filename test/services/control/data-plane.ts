/**
 * A small data plane for the supervisor's tests, forked by it. What it does is said by `boot` and by its HTTP routes:
 * `/boot`, `/began` (the log level when it began to listen), `/ask` (control of all, from here), `/tell` (a command to all),
 * `/crash`, `/full` (takes every file descriptor,
 * and does not answer), and POST, which is answered when the request's body has ended.
 */
import { open, openSync } from 'node:fs'
import { createServer } from 'node:http'
import type { LogLevel } from '../../../services/control/commands.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { attachProcess, type ProcessFailure } from '../../../services/control/process.ts'

export interface BootData {
  fail?: boolean
  /** It fails, and says so. */
  reason?: ProcessFailure
  neverDrain?: boolean
  /** It opens this file in another thread, and does not wait for it. */
  opens?: string | undefined
  token?: string
  /** As it starts it tells all this log level, and is not prepared before it has heard of it itself. */
  tells?: LogLevel
}

let level: LogLevel = 'info'
let levelAtBegin: LogLevel | undefined
let told: (() => void) | undefined
let answered = 0
const local = new LocalControl()
local.answer({
  'log-level': () => level,
  'open-work': () => ({ requests: 0, connections: 0 }),
  metrics: () => [
    { name: 'answered', type: 'counter', help: 'h', aggregator: 'sum', values: [{ labels: {}, value: answered }] },
    { name: 'processes', type: 'gauge', help: 'h', aggregator: 'sum', values: [{ labels: {}, value: 1 }] },
  ],
})
local.obey({
  'log-level': (args) => {
    level = args.level
    told?.()
  },
})

const server = createServer((request, response) => {
  answered++
  const send = (body: unknown): void => {
    response.setHeader('connection', 'close').end(JSON.stringify(body))
  }
  const fail = (error: unknown): void => send({ error: String(error) })
  if (request.method === 'POST') request.resume().once('end', () => send('done'))
  else if (request.url === '/crash') process.exit(7)
  else if (request.url === '/full') takeEveryDescriptor()
  else if (request.url === '/boot') send(boot)
  else if (request.url === '/began') send(levelAtBegin)
  else if (request.url === '/ask') link.control.ask('metrics').then(send, fail)
  else if (request.url === '/tell') link.control.tell('log-level', { level: 'warn' }).then(send, fail)
  else send(process.pid)
})

function takeEveryDescriptor(): void {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch {
    // There is none left.
  }
}

const link = attachProcess({
  local,
  drain: () =>
    boot.neverDrain === true
      ? new Promise(() => {})
      : new Promise((resolve) => {
          server.close(() => resolve())
        }),
  onError: (error) => process.stderr.write(`${String(error)}\n`),
})
const boot = (await link.boot()) as BootData
if (boot.fail === true) process.exit(3)
if (boot.reason !== undefined) await link.fail(boot.reason)
if (boot.opens !== undefined) open(boot.opens, 'r', () => {})
if (boot.tells !== undefined) {
  const heard = new Promise<void>((resolve) => (told = resolve))
  await Promise.all([link.control.tell('log-level', { level: boot.tells }), heard])
}
await link.mayListen()
levelAtBegin = level
server.listen(0, '127.0.0.1', () => link.ready())
