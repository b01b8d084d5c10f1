import createError from '@fastify/error'

/** The gateway has more to do than it can, and turns away what matters least; the answer carries `Retry-After`. */
export const ShedError = createError(
  'HR_PRESSURE_SHED',
  'The gateway is overloaded and serves what has a higher priority first. Try again after the time that Retry-After names.',
  503,
)

/** The `pressure` plugin is given what it does not take. */
export const PressureOptionError = createError(
  'HR_PRESSURE_OPTION',
  '%s: docs/configuration.md says what pressure takes.',
  500,
)
