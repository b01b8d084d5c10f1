import { randomBytes } from 'node:crypto'
import type { Side } from './frame-reader.ts'

/** Why this end closes (RFC 6455 §7.4.1): it goes away, the other has broken the protocol, or has said too much. */
export type CloseCode = 1001 | 1002 | 1009

const FINAL_CLOSE = 0x88
const MASKED = 0x80

/**
 * A Close frame (RFC 6455 §5.5.1).
 *
 * @param as whose it is to look like: what a client sends is masked
 */
export function closeFrame(code: CloseCode, as: Side): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  if (as === 'server') return Buffer.concat([Buffer.from([FINAL_CLOSE, payload.length]), payload])
  const mask = randomBytes(4)
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (mask[i] as number)
  return Buffer.concat([Buffer.from([FINAL_CLOSE, MASKED | payload.length]), mask, payload])
}
