import createError from '@fastify/error'

/** The development certificate cannot be kept in `dataDir`. */
export const TlsDataDirError = createError(
  'HR_TLS_DATA_DIR',
  'Cannot keep the development certificate in %s (%s). Make it a writable folder, or set dataDir to another.',
  500,
)

/** HTTP in the clear has come to a port for TLS. */
export const TlsExpectedError = createError(
  'HR_REQUEST_TLS_EXPECTED',
  'This port speaks TLS: write https:// in place of http://.',
  400,
)

/** More requests are in flight on one HTTP/1 connection than may be (pipelining). */
export const PipelineError = createError(
  'HR_REQUEST_PIPELINE',
  'Too many requests are in flight on this connection. Wait for answers, or open another connection.',
  503,
)

/** Another process holds the port; the message names both it and the setting that chooses another. */
export const PortInUseError = createError(
  'HR_LISTENER_PORT_IN_USE',
  'Port %s is taken by another process. Stop it, or choose another port: %s (0 takes any free one).',
  500,
)

/** The process may not bind the port. */
export const PortForbiddenError = createError(
  'HR_LISTENER_PORT_FORBIDDEN',
  'Not permitted to listen on port %s of %s. Choose a port above 1023, or give the process the right to bind low ones (CAP_NET_BIND_SERVICE).',
  500,
)

/** The host is no address of this machine. */
export const AddressError = createError(
  'HR_LISTENER_ADDRESS',
  'Cannot listen on %s: it is no address of this machine. Use 127.0.0.1 for this machine alone, 0.0.0.0 or :: for all addresses.',
  500,
)

/** The system refused to listen for another reason, kept as `cause`. */
export const ListenError = createError('HR_LISTENER_FAILED', 'Cannot listen on %s: %s', 500)

/** A PEM file cannot be read; the reason is the cause. */
export const TlsFileError = createError('HR_TLS_FILE_UNREADABLE', 'Cannot read the TLS %s: %s', 422)

/** The file holds no certificate. */
export const TlsCertificateError = createError(
  'HR_TLS_CERTIFICATE_INVALID',
  '%s holds no usable certificate (%s). It must be a PEM file that starts with the certificate of this server, its chain after it.',
  422,
)

/** The file holds no private key, or one with a passphrase. */
export const TlsKeyError = createError(
  'HR_TLS_KEY_INVALID',
  '%s holds no usable private key (%s). It must be a PEM file without a passphrase.',
  422,
)

/** Certificate and key are not a pair. */
export const TlsMismatchError = createError(
  'HR_TLS_KEY_MISMATCH',
  'The private key %s does not belong to the certificate %s. Give the key with which the certificate was requested.',
  422,
)

/** What the parser refused; the parser's reason is never passed on, it may quote the request. */
export const MalformedError = createError(
  'HR_REQUEST_MALFORMED',
  'The request is not well-formed HTTP/1.1 (RFC 9112). Nothing of it was forwarded.',
  400,
)

/** The request line names a version that is not spoken here. */
export const VersionError = createError('HR_REQUEST_VERSION', 'The request line must end in HTTP/1.1 or HTTP/1.0.', 400)

/** More PING and SETTINGS frames, or stream resets, than `limits.http2` allows. */
export const FloodError = createError(
  'HR_HTTP2_FLOOD',
  'The client sends too many control frames, or resets too many streams.',
  429,
)

/** HTTP/2 takes any text for a method; what cannot stand in an HTTP/1 request line cannot be forwarded. */
export const MethodError = createError('HR_REQUEST_METHOD', 'The method must be a token in upper case.', 400)

/** The head is larger than `limits.headerSize` or has more fields than `limits.headerCount`. */
export const HeadTooLargeError = createError(
  'HR_REQUEST_HEAD_TOO_LARGE',
  'The request head is larger than %s bytes or has more than %s fields. Send fewer or shorter fields, cookies above all.',
  431,
)

/** The head did not arrive within `limits.headerTimeout`. */
export const HeadTimeoutError = createError('HR_REQUEST_HEAD_TIMEOUT', 'The request head did not arrive in time.', 408)

/** The body came slower than `limits.bodyMinRate`. */
export const BodyTooSlowError = createError(
  'HR_REQUEST_BODY_TOO_SLOW',
  'The request body came slower than %s bytes a second.',
  408,
)

/** An expectation other than 100-continue (RFC 9110 §10.1.1). */
export const ExpectationError = createError('HR_REQUEST_EXPECTATION', 'The only expectation met is 100-continue.', 417)

/** CONNECT would make an open proxy of the gateway. */
export const ConnectError = createError(
  'HR_REQUEST_CONNECT',
  'CONNECT is not served: the upstreams are chosen by the configuration alone.',
  405,
)
