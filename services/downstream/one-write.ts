/** Bodies up to this size are joined with their head into one latin1 string: one write, measured as the cheapest. */
export const ONE_WRITE_BYTES = 16_384

/** Buffer's own decoder, which `toString('latin1')` reaches after some checks (missing from the types). */
const { latin1Slice } = Buffer.prototype as unknown as { latin1Slice: (this: Uint8Array) => string }

/** One character a byte. What another thread has sent is no Buffer. */
export function latin1(bytes: Uint8Array): string {
  return latin1Slice.call(bytes)
}
