import createError from '@fastify/error'

/** `securityHeaders` of a route has something that helmet does not take. */
export const SecurityHeadersError = createError('HR_SECURITY_HEADERS_INVALID', 'securityHeaders: %s', 500)
