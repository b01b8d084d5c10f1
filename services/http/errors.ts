import createError from '@fastify/error'

/** The Host field or :authority is missing, doubled or malformed (RFC 9112 §3.2). */
export const HostError = createError(
  'HR_REQUEST_HOST',
  'The Host field %s. Send exactly one, as name or name:port.',
  400,
)

/** The request target is no path that can be routed (RFC 9112 §3.2). */
export const TargetError = createError('HR_REQUEST_TARGET', 'The request target %s. Send an absolute path.', 400)

/** Length and coding of the body contradict each other (RFC 9112 §6.3). */
export const FramingError = createError('HR_REQUEST_FRAMING', 'The request %s.', 400)

/** A field that cannot be forwarded as it is. */
export const FieldError = createError('HR_REQUEST_FIELD', 'The request has %s.', 400)

/** The body is larger than `limits.bodySize`. */
export const BodyTooLargeError = createError(
  'HR_REQUEST_BODY_TOO_LARGE',
  'The request body is larger than %s bytes.',
  413,
)

/** The path has an encoded slash, which its route refuses (`encodedSlash: 'refuse'`). */
export const EncodedSlashError = createError(
  'HR_REQUEST_ENCODED_SLASH',
  'The path contains %2F, which this route refuses. Send a plain slash, or the value in the query.',
  400,
)

/** Decoded, merged or stripped, the path would reach something with stricter access. */
export const AmbiguousPathError = createError(
  'HR_REQUEST_PATH_AMBIGUOUS',
  "The path can be read in more than one way (an encoded slash, '//' or ';'). Send its plain form.",
  400,
)

/** No route takes the path. */
export const RouteNotFoundError = createError(
  'HR_ROUTE_NOT_FOUND',
  'No route takes %s %s. The routes are in the configuration; headrace explain shows how they are matched.',
  404,
)

/** A route takes the path, with other methods; the answer carries `Allow`. */
export const MethodNotAllowedError = createError('HR_ROUTE_METHOD', 'The path takes %s.', 405)

/** The request has passed this gateway too often (Via, RFC 9110 §7.6.3). */
export const LoopError = createError(
  'HR_PROXY_LOOP',
  'The request has come through this gateway %s times already.',
  508,
)

/** Something failed inside the gateway; the log has it, under the request's id. */
export const InternalError = createError(
  'HR_INTERNAL',
  "The gateway failed on this request. Its log has the reason under the request's id.",
  500,
)
