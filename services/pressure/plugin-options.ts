import { faultIn, withDefaults } from '../options/settled.ts'
import { PressureOptionError } from './errors.ts'
import { type PressureInput, type PressureOptions, pressureSchema, resolvePressure } from './options.ts'

/**
 * `pressure` as people write it, for the plugin alone, which no configuration has checked.
 *
 * @throws HR_PRESSURE_OPTION
 */
export function pressureFrom(input: Partial<PressureInput>): PressureOptions {
  const filled = withDefaults(pressureSchema, input)
  const fault = faultIn(pressureSchema, filled)
  if (fault !== undefined) throw new PressureOptionError(`pressure${fault}`)
  return resolvePressure(filled as PressureInput) as PressureOptions
}
