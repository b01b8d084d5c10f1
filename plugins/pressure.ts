import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LocalControl } from '../services/control/local.ts'
import type { Priority } from '../services/downstream/priority.ts'
import { classOf } from '../services/pressure/classes.ts'
import type { GatewayError } from '../services/http/problem.ts'
import type { Load } from '../services/pressure/load.ts'
import type { PressureInput } from '../services/pressure/options.ts'
import { pressureFrom } from '../services/pressure/plugin-options.ts'
import { Pressure } from '../services/pressure/pressure.ts'
import { processSensors } from '../services/pressure/process-sensors.ts'
import type { Sensors } from '../services/pressure/readings.ts'
import { Sampler } from '../services/pressure/sampler.ts'

/**
 * Load shedding. In the gateway, whose routes have gates of their own, it shares `pressure` and answers the control port's
 * `pressure`: no hook is added.
 *
 * Alone in an application (`settings` in place of `pressure`) it looks at the process, and turns requests of the routes that
 * are registered after it away with HR_PRESSURE_SHED and `Retry-After` while there is no room for them: those of a low
 * `config.priority` first; of `critical` ones none. Callers that `identified` knows are served before others.
 *
 * @throws HR_PRESSURE_OPTION
 */
export type PressurePluginOptions =
  | { pressure: Pressure | null; local: LocalControl }
  | {
      /** As `pressure` of the configuration; what is left out is as there. */
      settings?: Partial<PressureInput>
      /** Whether it is known who calls, before any other hook of the route; by default it never is. */
      identified?: (request: object) => boolean
      /** For tests: what is seen, and chance. */
      sensors?: Sensors
      random?: () => number
    }

declare module 'fastify' {
  interface FastifyInstance {
    /** `null` where nothing is turned away. */
    pressure: Pressure | null
  }
  interface FastifyContextConfig {
    /** What is served first where not everything can be; default: normal. */
    priority?: Priority
  }
}

async function pressurePlugin(fastify: FastifyInstance, options: PressurePluginOptions): Promise<void> {
  if ('pressure' in options) {
    const { pressure, local } = options
    fastify.decorate('pressure', pressure)
    local.answer({ pressure: () => pressure?.report() ?? null })
    return
  }
  const { settings = {}, random = Math.random, sensors = processSensors(), identified = () => false } = options
  const load: Load = { inFlight: 0 }
  const pressure = new Pressure(pressureFrom(settings), { random, load })
  const sampler = new Sampler(pressure, sensors)
  fastify.addHook('onClose', async () => sampler.close())
  fastify.decorate('pressure', pressure)
  fastify.addHook('onRequest', (request, reply, done) => {
    load.inFlight++
    reply.raw.once('close', () => void load.inFlight--)
    const { priority = 'normal' } = request.routeOptions.config
    const refusal: GatewayError | undefined = pressure.admit(classOf(priority, !identified(request)))
    const [name, value] = refusal?.fields ?? []
    if (name !== undefined && value !== undefined) reply.header(name, value)
    done(refusal)
  })
}

export default fp(pressurePlugin, { name: 'headrace-pressure', fastify: '5.x' })
