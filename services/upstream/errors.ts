import createError from '@fastify/error'

/** No connection to the upstream: refused, no such name, TLS refused. */
export const ConnectError = createError(
  'HR_UPSTREAM_CONNECT',
  "The upstream '%s' cannot be reached. Try again later.",
  502,
)

/** No connection within `timeout.connect`. */
export const ConnectTimeoutError = createError(
  'HR_UPSTREAM_CONNECT_TIMEOUT',
  "The upstream '%s' did not accept a connection in time. Try again later.",
  504,
)

/**
 * The gateway's machine had no file descriptor, no local port or no memory for a connection; nothing is held against the target.
 * `cause` in the log says which: for EMFILE raise the limit of open files (`ulimit -n`, `LimitNOFILE=`), for EADDRNOTAVAIL let
 * connections live longer (`keepAlive`) or widen `net.ipv4.ip_local_port_range`, or have fewer (`connections`).
 */
export const ResourcesError = createError(
  'HR_UPSTREAM_RESOURCES',
  "The gateway has nothing left to open a connection to the upstream '%s' with. Try again in a few seconds.",
  503,
)

/** The connection broke before a response head. */
export const ResetError = createError(
  'HR_UPSTREAM_RESET',
  "The upstream '%s' closed the connection without an answer. Whether it acted on the request is unknown.",
  502,
)

/** What came back is not HTTP, or not HTTP that can be passed on. */
export const InvalidResponseError = createError(
  'HR_UPSTREAM_INVALID_RESPONSE',
  "The upstream '%s' answered with something that is not valid HTTP.",
  502,
)

/** What came back over HTTP/2 with prior knowledge (`h2c://`) is no HTTP/2: a server of HTTP/1.1 answers so. */
export const NotHttp2Error = createError(
  'HR_UPSTREAM_NOT_HTTP2',
  "The upstream '%s' answered with something that is not HTTP/2, which h2c:// asks for: http:// asks for HTTP/1.1.",
  502,
)

/** No response head within `timeout.firstByte`. */
export const FirstByteTimeoutError = createError(
  'HR_UPSTREAM_FIRST_BYTE_TIMEOUT',
  "The upstream '%s' did not begin its answer in time. Whether it acted on the request is unknown.",
  504,
)

/** No response head within `timeout.total`. */
export const TotalTimeoutError = createError(
  'HR_UPSTREAM_TOTAL_TIMEOUT',
  "The upstream '%s' did not answer within the time allowed.",
  504,
)

/** The body of the request or of the response stood still for `timeout.idle`. */
export const IdleTimeoutError = createError('HR_UPSTREAM_IDLE_TIMEOUT', "The upstream '%s' stopped in the middle.", 504)

/** The response body broke off before its head was sent on. */
export const TruncatedError = createError('HR_UPSTREAM_TRUNCATED', "The upstream '%s' broke off its answer.", 502)

/** More than `queue` requests wait for a connection. */
export const QueueFullError = createError(
  'HR_UPSTREAM_QUEUE_FULL',
  "Too many requests wait for the upstream '%s'. Try again in a few seconds.",
  503,
)

/** The upstream takes no more requests at a time than it has now (`concurrency`), and none came to its turn in time. */
export const ConcurrencyError = createError(
  'HR_UPSTREAM_CONCURRENCY',
  "The upstream '%s' has as many requests as it can take at a time. Try again in a few seconds.",
  503,
)

/** No target is known at present: its names lead nowhere, or all were told to drain. */
export const NoTargetError = createError(
  'HR_UPSTREAM_NO_TARGET',
  "The upstream '%s' has no target at present. Try again in a few seconds.",
  503,
)

/**
 * The name of a target was looked up, and the answer is empty. It is the reason in the log, and the code of the target's
 * last error; a request gets HR_UPSTREAM_NO_TARGET.
 */
export const NoAddressError = createError('HR_UPSTREAM_NO_ADDRESS', "The answer for '%s' names no address.", 503)

/** The circuit breakers of all targets are open: they have failed too often, and are left alone for a while. */
export const BreakerOpenError = createError(
  'HR_UPSTREAM_BREAKER_OPEN',
  "The upstream '%s' has failed too often and is left alone for a while. Try again in a few seconds.",
  503,
)

/** The control plane was asked for a target that cannot be one, or is none. */
export const TargetChangeError = createError('HR_UPSTREAM_TARGET', '%s', 400)

/** A field of the request cannot be written towards an upstream. */
export const UnsendableError = createError('HR_REQUEST_UNSENDABLE', 'The request cannot be forwarded: %s.', 400)

/** `upstreams.get()` with a name that the configuration does not have. */
export const UnknownUpstreamError = createError('HR_UPSTREAM_UNKNOWN', "There is no upstream '%s'; there are: %s", 500)

/** A TLS file of an upstream cannot be read. */
export const UpstreamTlsError = createError('HR_UPSTREAM_TLS', "The upstream '%s': %s", 500)

/** Why an attempt is aborted that another takes the place of. Nobody is told; undici wants a reason. */
export const SupersededError = createError('HR_UPSTREAM_SUPERSEDED', 'Another attempt has taken its place.', 500)

/** Why an upstream request is aborted whose client has left. Nobody is told; undici wants a reason. */
export const ClientGoneError = createError('HR_CLIENT_GONE', 'The client closed the connection before the answer.', 499)
