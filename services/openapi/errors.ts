import createError from '@fastify/error'

/** A specification that could not be read: no file, no answer, not 200, too large, too late, redirected elsewhere. */
export const SpecificationUnavailableError = createError('HR_OPENAPI_UNAVAILABLE', '%s', 502)

/** What was read is no OpenAPI document. */
export const SpecificationInvalidError = createError('HR_OPENAPI_INVALID', '%s', 502)

/** It is one of a version that cannot be merged: Swagger 2.0, or none that is known. */
export const SpecificationVersionError = createError('HR_OPENAPI_VERSION_UNSUPPORTED', '%s', 502)

/** A file that a configuration gives a route to go by is no document. Arguments: the file, the route's key, why. */
export const SpecificationFileError = createError<[string, string, string]>(
  'HR_OPENAPI_FILE',
  "The document %s, by which the route '%s' goes, %s. Correct it, or name another.",
  422,
)
