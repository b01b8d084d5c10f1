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

/** The body is larger than `limits.bodySize`, or than its route takes (`request.bodySize`). */
export const BodyTooLargeError = createError(
  'HR_REQUEST_BODY_TOO_LARGE',
  'The request body is larger than %s bytes.',
  413,
)

/** A request body is compressed in a way that its route (`decompress`) does not undo; the answer says what it does. */
export const ContentCodingError = createError(
  'HR_REQUEST_ENCODING',
  "The request body has the Content-Encoding '%s', which is not understood here. Send one that Accept-Encoding names.",
  415,
)

/** A compressed request body became too many times larger (`decompress.maxRatio`). */
export const ExpansionError = createError(
  'HR_REQUEST_EXPANSION',
  'The request body becomes more than %s times larger when it is decompressed. Send it as it is.',
  413,
)

/** A request body is not what its Content-Encoding says, or ends too soon. */
export const CodedBodyError = createError(
  'HR_REQUEST_CODED',
  'The request body cannot be decompressed: it is not what its Content-Encoding says, or not whole.',
  400,
)

/** The path has an encoded slash, which its route refuses (`encodedSlash: 'refuse'`). */
export const EncodedSlashError = createError(
  'HR_REQUEST_ENCODED_SLASH',
  'The path contains %2F, which this route refuses. Send a plain slash, or the value in the query.',
  400,
)

/**
 * Decoded, merged or stripped, the path would reach something that asks something else of its callers; inside another
 * application, also a path with dot segments, which that application's router does not resolve.
 */
export const AmbiguousPathError = createError(
  'HR_REQUEST_PATH_AMBIGUOUS',
  "The path can be read in more than one way (an encoded slash, dot segments, '//' or ';'). Send its plain form.",
  400,
)

/** No route takes the path; the answer links to the documentation, where that is on. */
export const RouteNotFoundError = createError(
  'HR_ROUTE_NOT_FOUND',
  'No route takes %s %s; see %s, and headrace explain for how routes are matched.',
  404,
)

/** A route takes the path, with other methods; the answer carries `Allow`. */
export const MethodNotAllowedError = createError('HR_ROUTE_METHOD', 'The path takes %s.', 405)

/** A page of the gateway's own has the path, and takes other methods; the answer carries `Allow`. */
export const EndpointMethodError = createError(
  'HR_ENDPOINT_METHOD',
  "This page is the gateway's own, and takes %s. No upstream gets the request.",
  405,
)

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

/** A hook of the application around the gateway has taken the request's body, which can be read once only. */
export const BodyReadError = createError(
  'HR_BODY_READ',
  'The body cannot be forwarded: a hook of this application has read it. Leave the bodies of proxied routes alone.',
  500,
)
