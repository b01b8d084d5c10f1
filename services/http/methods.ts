/** What `Allow` says of the gateway as a whole (RFC 9110 §9.3.7): others go through where a route takes them. */
export const COMMON_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
