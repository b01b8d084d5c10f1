/** A supervisor in a process of its own, for tests with real signals. Says what happens as JSON lines on stdout. */
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { endOnSignals } from '../../../server/signals.ts'
import { startSupervisor } from '../../../services/control/supervisor.ts'

const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`)
const line = (_details: object, message: string): void => say({ message })
const log = { info: line, warn: line, error: line, flush: () => undefined }

cluster.on('listening', (worker, { port }) => say({ port, pid: worker.process.pid }))
const supervisor = startSupervisor({
  processes: 2,
  exec: fileURLToPath(new URL('./data-plane.ts', import.meta.url)),
  args: [],
  env: {},
  boot: { neverDrain: process.argv[2] === 'never-drain', opens: process.argv[3] },
  drainTimeoutMs: 60_000,
  log,
})
await supervisor.ready
endOnSignals({ control: supervisor.control, log, close: () => supervisor.close(), closed: supervisor.closed }, 60_000)
say({ ready: true })
await supervisor.closed
say({ closed: true })
