import createError from '@fastify/error'

/** A route's key or rewrite that cannot be read; the message says how to write it. */
export const InvalidRouteError = createError('HR_ROUTE_INVALID', '%s', 500)
