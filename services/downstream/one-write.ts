/** Bodies up to this size are joined with their head into one latin1 string: one write, measured as the cheapest. */
export const ONE_WRITE_BYTES = 16_384

/** Buffer's own decoder, which `toString('latin1')` reaches after some checks (missing from the types). */
interface Latin1 extends Uint8Array {
  latin1Slice(): string
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  return (bytes as Latin1).latin1Slice()
}
