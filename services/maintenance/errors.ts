import createError from '@fastify/error'

/** The gateway, or the route, is in maintenance; the answer carries `Retry-After`. */
export const MaintenanceError = createError(
  'HR_MAINTENANCE',
  'This service is being worked on. Try again after the time that Retry-After names.',
  503,
)

/** An entry of `maintenance.allow` is neither address, block nor known word. */
export const MaintenanceAllowError = createError(
  'HR_MAINTENANCE_ALLOW',
  "maintenance.allow has '%s': write an address, a CIDR block such as 10.0.0.0/8, 'loopback' or 'private'",
  500,
)

/** The control plane was asked for a route that there is not. */
export const MaintenanceRouteError = createError(
  'HR_MAINTENANCE_ROUTE',
  "There is no route '%s'. Write its key as the configuration has it; there are: %s.",
  400,
)
