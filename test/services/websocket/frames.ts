/** Frames as the two sides send them (RFC 6455 §5.2). */
export interface Shape {
  opcode?: number
  fin?: boolean
  rsv?: number
  masked: boolean
  payload?: Buffer | string
  /** Written in place of the payload's own. */
  length?: { form: 7 | 16 | 64; value: bigint }
}

export function frame({ opcode = 1, fin = true, rsv = 0, masked, payload = '', length }: Shape): Buffer {
  const bytes = Buffer.from(payload)
  const form = length?.form ?? (bytes.length < 126 ? 7 : bytes.length < 65_536 ? 16 : 64)
  const value = length?.value ?? BigInt(bytes.length)
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (form === 7 ? Number(value) : form === 16 ? 126 : 127)
  if (form === 16) head.writeUInt16BE(Number(value), 2)
  if (form === 64) head.writeBigUInt64BE(value, 2)
  if (!masked) return Buffer.concat([head, bytes])
  const mask = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([head, mask, bytes.map((byte, i) => byte ^ (mask[i % 4] as number))])
}

/** The close code that a frame carries, whoever has sent it; `undefined` for another frame. */
export function closeCodeOf(bytes: Buffer): number | undefined {
  if (((bytes[0] ?? 0) & 0x0f) !== 8) return undefined
  const isMasked = ((bytes[1] ?? 0) & 0x80) !== 0
  const payload = Buffer.from(bytes.subarray(isMasked ? 6 : 2))
  if (isMasked)
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (bytes[2 + (i % 4)] as number)
  return payload.length < 2 ? undefined : payload.readUInt16BE()
}
