/** A server that asks for longer is believed no longer: it may be back before. */
const LONGEST_MS = 60_000

/**
 * How long a server asks to be left alone (RFC 9110 §10.2.3); 0 where it does not, or cannot be understood.
 *
 * @param now milliseconds since 1970
 */
export function retryAfterMs(value: string | string[] | undefined, now: number): number {
  if (typeof value !== 'string') return 0
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return ms > 0 ? Math.min(ms, LONGEST_MS) : 0
}
