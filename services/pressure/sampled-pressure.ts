import { isDeepStrictEqual } from 'node:util'
import { Shared } from '../lifetime/shared.ts'
import type { PressureOptions } from './options.ts'
import { Pressure } from './pressure.ts'
import { processSensors } from './process-sensors.ts'
import { Sampler } from './sampler.ts'

/**
 * A `Pressure` that learns from this process, and stops to when nobody holds it any more.
 *
 * @param options `null`: nothing is looked at
 * @param previous of the gateway whose place is taken: with the same options it goes on as it is, else what was counted does
 */
export function samplePressure(
  options: PressureOptions | null,
  { previous, load }: { previous: Shared<Pressure> | null; load: Pressure['load'] },
): Shared<Pressure> | null {
  if (options === null) return null
  if (previous !== null && isDeepStrictEqual(previous.value.options, options)) return previous.share()
  const pressure = new Pressure(options, {
    random: Math.random,
    load,
    ...(previous && { counters: previous.value.counters }),
  })
  const sampler = new Sampler(pressure, processSensors())
  return new Shared(pressure, async () => sampler.close())
}
