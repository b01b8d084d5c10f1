import createError from '@fastify/error'

/** The handshake is none (RFC 6455 §4.2.1; RFC 8441 §5). */
export const HandshakeError = createError('HR_WEBSOCKET_HANDSHAKE', 'The WebSocket handshake %s.', 400)

/** Another version than the one there is (RFC 6455 §4.4); the answer names it. */
export const WebSocketVersionError = createError(
  'HR_WEBSOCKET_VERSION',
  'WebSocket is spoken here in version 13 only (Sec-WebSocket-Version).',
  426,
)

/** A page of another origin (RFC 6455 §10.2). */
export const OriginError = createError(
  'HR_WEBSOCKET_ORIGIN',
  'Pages of %s may not connect here. Name it in websocket.origins of the route.',
  403,
)

/** As many as the route lets be open. */
export const WebSocketLimitError = createError(
  'HR_WEBSOCKET_LIMIT',
  'Too many WebSocket connections are open on this route. Try again later.',
  503,
)

/** Upstreams are asked for WebSocket over HTTP/1.1, which a target of `h2c://` does not speak. */
export const WebSocketTargetError = createError(
  'HR_WEBSOCKET_TARGET',
  "WebSocket needs HTTP/1.1, and the upstream '%s' is asked over HTTP/2 (h2c://): give it http:// targets.",
  501,
)

/** The route serves none, or the listener; or a hook of the user's on the gateway has to see every request. */
export const UpgradeError = createError('HR_UPGRADE_UNSUPPORTED', 'WebSocket is not served here.', 501)
