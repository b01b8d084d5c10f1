import createError from '@fastify/error'

/** A request body cannot be transformed as its route has it: it is no JSON, though it says so, or nested too deeply. */
export const RequestBodyError = createError('HR_TRANSFORM_REQUEST', 'The request body %s. Send JSON in UTF-8.', 400)

/** A JSON body of a request has two members of one name: which of them counts is up to who reads it (RFC 8259 §4). */
export const RequestDuplicateError = createError(
  'HR_TRANSFORM_REQUEST_DUPLICATE',
  'The request body has more than one member %s. Send each name once.',
  400,
)

/** A request body is larger than what is transformed on its route (`transform.bodySize`). */
export const RequestLargeError = createError(
  'HR_TRANSFORM_REQUEST_TOO_LARGE',
  'The request body is larger than the %s bytes that are transformed here.',
  413,
)

/** A request body is compressed, and its route does not undo that (`decompress`): it cannot be transformed. */
export const RequestCodedError = createError(
  'HR_TRANSFORM_REQUEST_ENCODING',
  'The request body is compressed, and cannot be transformed: send it as it is.',
  415,
)

/** An answer's body cannot be transformed: too large (`transform.bodySize`), compressed, or no JSON. What should be masked is not sent. */
export const ResponseBodyError = createError(
  'HR_TRANSFORM_RESPONSE',
  "The upstream's answer cannot be transformed: its body %s.",
  502,
)

/** A hook has thrown, or what it gave back cannot be sent; the log has more. */
export const HookError = createError(
  'HR_TRANSFORM_HOOK',
  "The hook '%s' of this route failed. The log has the reason.",
  500,
)

/** A hook has taken longer than its route lets it (`transform.hookTimeout`). */
export const HookTimeoutError = createError(
  'HR_TRANSFORM_HOOK_TIMEOUT',
  "The hook '%s' of this route took longer than %s ms.",
  504,
)

/** A hook has refused a request, with a status and words of its own. */
export const HookRefusal = createError('HR_TRANSFORM_REFUSED', '%s', 403)

/** A file of hooks cannot be loaded, or has no such hook. */
export const HookSourceError = createError('HR_TRANSFORM_HOOK_SOURCE', "The hook '%s' %s.", 500)

/** What a hook imports has changed since this process loaded it, which a module can be only once. */
export const HookOutdatedError = createError(
  'HR_TRANSFORM_HOOK_OUTDATED',
  "The hook '%s' imports '%s', which has changed since this process loaded it: restart needed.",
  409,
)
