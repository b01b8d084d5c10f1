/** Fields that belong to one connection of HTTP/1.1, which HTTP/2 has not (RFC 9113 §8.2.2). */
export const HTTP1_CONNECTION_FIELDS = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
] as const

/** Fields that no proxy passes on as they are (RFC 9110 §7.6.1). */
export const HOP_BY_HOP_FIELDS = [...HTTP1_CONNECTION_FIELDS, 'te', 'trailer'] as const
