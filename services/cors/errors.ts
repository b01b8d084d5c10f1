import createError from '@fastify/error'

/** An OPTIONS request that is no preflight, on a route with `cors.strictPreflight`. */
export const PreflightError = createError(
  'HR_CORS_PREFLIGHT',
  'OPTIONS is for preflights here: send Origin and Access-Control-Request-Method with it.',
  400,
)
