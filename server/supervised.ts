import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { replayBounds } from '../services/access/hmac/hmac-scheme.ts'
import { ReplayMemory } from '../services/access/hmac/replay-memory.ts'
import { Turns } from '../services/access/jwt/turns.ts'
import type { Control } from '../services/control/control.ts'
import type { CommandTest } from '../services/control/cluster-control.ts'
import type { ControlCommands } from '../services/control/commands.ts'
import { LocalControl } from '../services/control/local.ts'
import { startSupervisor, type Supervisor } from '../services/control/supervisor.ts'
import { MemoryLedger } from '../services/limit/memory-ledger.ts'
import { createTicketKeys } from '../services/listener/tls.ts'
import { createLog } from '../services/log/logger.ts'
import { configurationMetrics } from '../services/monitor/configuration-metrics.ts'
import { KnownSpecifications } from '../services/openapi/known-specifications.ts'
import type { Address } from './address.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import type { ForkedBoot } from './data-plane-process.ts'
import { recallMemoryUsage } from './memory-usage.ts'
import { relatedDocs } from './related-docs.ts'
import { addressesOf, type Started, type StartContext } from './started.ts'

/** Runs the data plane in processes that this one supervises. @throws what one of them could not start for; HR_CONTROL_* */
export async function startSupervised(config: Config, { token, report }: StartContext): Promise<Started> {
  const { log } = createLog(config.log)
  recallMemoryUsage()
  const own = new LocalControl()
  // This process logs too, what its processes do and what its control plane answers.
  own.obey({ 'log-level': ({ level }) => void (log.level = level) })
  const ticketKeys = createTicketKeys()
  const bootOf = (its: Config, itsToken: string, warm: boolean): ForkedBoot => ({
    config: its,
    token: itsToken,
    ticketKeys,
    warm,
  })
  let inForce = config
  const supervisor: Supervisor = startSupervisor({
    processes: config.processes,
    exec: forkedEntry(),
    args: [],
    env: {},
    boot: bootOf(config, token, false),
    drainTimeoutMs: config.drainTimeoutMs,
    log,
    own,
  })
  const metrics = configurationMetrics(report, () => supervisor.restarts)
  // It outlives every process, and what they have been lent.
  const ledger = new MemoryLedger()
  const turns = new Turns()
  const replays = new ReplayMemory(replayBoundsOf(config))
  let specifications = new KnownSpecifications(config.upstreams, null)
  own.obey({ 'openapi-document': (known) => specifications.keep(known) })
  own.answer({
    'openapi-documents': () => specifications.all,
    'signature-take': ({ id }) => replays.take(id, Date.now()),
    'token-keys-turn': ({ source }) => turns.take(source),
    'limit-loans': ({ requests }) => ({
      loans: ledger.settle(requests, inForce.processes),
      members: inForce.processes,
    }),
  })
  own.answer({ metrics: () => metrics.collect() })
  const { control } = supervisor
  let addresses: Address[] = []
  const related = () => relatedDocs(inForce, 'public', () => addresses)()
  let admin: ControlPlane | null = null
  const readAddresses = async (): Promise<void> => {
    addresses = addressesOf((await control.ask('addresses')).result, admin)
  }
  try {
    await supervisor.ready
    admin = await startControlPlane(config, { log, token, control, related })
    await readAddresses()
    if (admin !== null) await tellAdminAddress(control, admin.address.url, log)
  } catch (error) {
    await supervisor.kill()
    await admin?.close(0)
    throw error
  }
  const closed = supervisor.closed.then(() => admin?.close(inForce.drainTimeoutMs))
  return {
    addresses: () => addresses,
    control,
    own,
    log,
    closed,
    async apply(next, nextToken) {
      const putInForce = await admin?.reconfigure(next, { log, token: nextToken, control, related })
      const known = specifications
      specifications = new KnownSpecifications(next.upstreams, known)
      try {
        await supervisor.replace({
          boot: bootOf(next, nextToken, true),
          processes: next.processes,
          drainTimeoutMs: next.drainTimeoutMs,
          forget: outdated(inForce, next),
        })
      } catch (error) {
        // Those that stay have told of it meanwhile.
        for (const one of specifications.all) known.keep(one)
        specifications = known
        throw error
      }
      if (next.log.level !== inForce.log.level) log.level = next.log.level
      replays.rebind(replayBoundsOf(next), Date.now())
      inForce = next
      putInForce?.()
      await readAddresses()
    },
    rolling: () => ({ processes: inForce.processes, run: (progress) => supervisor.roll(progress) }),
    async close() {
      await supervisor.close()
      await closed
    },
  }
}

/** Of what the processes have accepted of signed requests: each as many as it would remember by itself. */
function replayBoundsOf({ access, processes }: Config): { lifetimeMs: number; most: number } {
  const { lifetimeMs, most } = replayBounds(access.hmac)
  return { lifetimeMs, most: most * processes }
}

/** What was set since the start holds on, where the configuration has not changed its mind about the same. */
function outdated(before: Config, after: Config): CommandTest {
  const targetsOf = (config: Config, name: string): unknown =>
    config.upstreams.find((one) => one.name === name)?.targets
  return (command, args) => {
    if (command === 'log-level') return before.log.level !== after.log.level
    if (command === 'maintenance') {
      const { route } = args[0] as ControlCommands['maintenance']
      return isInMaintenance(before, route) !== isInMaintenance(after, route)
    }
    if (command !== 'upstream-target') return false
    const { upstream } = args[0] as ControlCommands['upstream-target']
    return !isDeepStrictEqual(targetsOf(before, upstream), targetsOf(after, upstream))
  }
}

/** As the configuration says; `undefined` of a route that it does not have. */
function isInMaintenance({ maintenance, routes }: Config, route: string | null): boolean | undefined {
  return route === null ? maintenance.enabled : routes.find(({ key }) => key === route)?.maintenance
}

/** A process that is being replaced at this moment gets it when it joins: the command lasts. */
async function tellAdminAddress(control: Control, url: string, log: Logger): Promise<void> {
  try {
    await control.tell('admin-address', { url })
  } catch (error) {
    log.warn({ err: error }, 'The public documents of some process do not link to the control plane yet')
  }
}

function forkedEntry(): string {
  const own = import.meta.url
  return fileURLToPath(new URL(own.endsWith('.ts') ? './forked.ts' : './forked.js', own))
}
