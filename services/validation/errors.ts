import createError from '@fastify/error'

/** A request is not as the OpenAPI document of its route says (`validate`); `errors` says where. */
export const RequestInvalidError = createError(
  'HR_VALIDATION_REQUEST',
  "The request is not as the specification says of '%s': see errors.",
  400,
)

/** The OpenAPI document of a route has no operation for a request (`validate.undocumented`). */
export const UndocumentedError = createError(
  'HR_VALIDATION_OPERATION',
  'The specification has no operation for this request: %s.',
  404,
)

/** A request body is larger than what is validated on its route (`validate.bodySize`). */
export const RequestTooLargeError = createError(
  'HR_VALIDATION_REQUEST_TOO_LARGE',
  'The request body is larger than the %s bytes that are validated here.',
  413,
)

/** A request body is compressed, and its route does not undo that (`decompress`): it cannot be validated. */
export const RequestCodedError = createError(
  'HR_VALIDATION_REQUEST_ENCODING',
  'The request body is compressed, and cannot be validated: send it as it is.',
  415,
)

/** An answer is not as the OpenAPI document of its route says, or cannot be validated; nothing of it was sent or stored. */
export const ResponseInvalidError = createError(
  'HR_VALIDATION_RESPONSE',
  "The upstream's answer is not as its specification says of '%s'. The log has more.",
  502,
)

/** The OpenAPI document that requests of a route are validated by cannot be had. */
export const DocumentUnavailableError = createError('HR_VALIDATION_DOCUMENT', 'The document %s %s.', 503)

/** A route validates, and there is no document: neither `validate.document` nor an `openapi` of its upstream. */
export const ValidationSourceError = createError(
  'HR_VALIDATION_SOURCE',
  "The route '%s' validates, and has no document: give its upstream an openapi, or write validate: { document: './openapi.json' }.",
  500,
)
