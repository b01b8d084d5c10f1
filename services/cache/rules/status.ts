/** Cacheable without being asked to (RFC 9110 §15.1). */
export const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
])

/** What `negativeTtl` is for, beside the 5xx that a policy names. */
export const NEGATIVE: ReadonlySet<number> = new Set([404, 405, 410, 414, 501])

/**
 * Said of one request, not of the resource: nobody else may get them, whatever freshness they come with. 304 has no
 * content of its own (RFC 9110 §15.4.5); 428, 429, 431 and 511 must not be stored (RFC 6585 §3 to §6); 407, 412, 416,
 * 417, 421 and 425 answer fields or a connection that are in no key.
 */
export const NEVER_STORED: ReadonlySet<number> = new Set([304, 407, 412, 416, 417, 421, 425, 428, 429, 431, 511])

/** The final status codes whose caching rules this cache knows: those of RFC 9110 §15, for must-understand. */
export const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
  410, 411, 413, 414, 415, 422, 426, 500, 501, 502, 503, 504, 505,
])
