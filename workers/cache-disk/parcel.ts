import type { CacheDiskParcel } from '../protocol.ts'

/** The responses of a parcel, in order. Small ones are views of one buffer. */
export function unpack(
  lengths: readonly { bytes: number }[],
  { packed, large, largeFrom }: CacheDiskParcel,
): Uint8Array[] {
  let at = 0
  let next = 0
  return lengths.map(({ bytes }) => {
    if (bytes >= largeFrom) return large[next++] as Uint8Array
    at += bytes
    return packed.subarray(at - bytes, at)
  })
}
