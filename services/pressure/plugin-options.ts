import { Value } from 'typebox/value'
import { PressureOptionError } from './errors.ts'
import { type PressureInput, type PressureOptions, pressureSchema, resolvePressure } from './options.ts'

/**
 * `pressure` as people write it, for the plugin alone, which no configuration has checked.
 *
 * @throws HR_PRESSURE_OPTION
 */
export function pressureFrom(input: Partial<PressureInput>): PressureOptions {
  const filled = Value.Default(pressureSchema, structuredClone(input))
  const [error] = Value.Errors(pressureSchema, filled)
  if (error !== undefined) {
    throw new PressureOptionError(`pressure${error.instancePath.replaceAll('/', '.')} ${error.message}`)
  }
  return resolvePressure(filled as PressureInput) as PressureOptions
}
