import type { Socket } from 'node:net'
import { HeadTimeoutError } from './errors.ts'
import { closingAnswer, endWith } from './malformed.ts'

/** The start of the connection preface (RFC 9113 §3.4) that no HTTP/1 request has; nghttp2 checks the rest. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n', 'latin1')
const HEAD_TIMEOUT = new HeadTimeoutError()

export interface PrefaceTargets {
  http1(socket: Socket): void
  http2(socket: Socket): void
  /** The client was silent, or dripped, for `timeoutMs`. */
  timedOut(): void
  timeoutMs: number
}

/**
 * Decides by the first bytes of a cleartext connection which protocol it speaks (prior knowledge, RFC 9113 §3.3), and
 * hands it over with these bytes put back. One byte that is not the preface's decides for HTTP/1.
 */
export function choosePrior(socket: Socket, targets: PrefaceTargets): void {
  let seen = 0
  let held: Buffer[] = []
  const timer = setTimeout(() => {
    stop()
    targets.timedOut()
    if (seen > 0) endWith(socket, closingAnswer(HEAD_TIMEOUT))
    else socket.destroy()
  }, targets.timeoutMs)
  const leave = (): void => {
    stop()
    socket.destroy()
  }

  function stop(): void {
    clearTimeout(timer)
    socket.off('data', onData)
    socket.off('end', leave)
    socket.off('close', leave)
  }

  function onData(chunk: Buffer): void {
    held.push(chunk)
    const end = Math.min(seen + chunk.length, PREFACE.length)
    const same = PREFACE.compare(chunk, 0, end - seen, seen, end) === 0
    seen += chunk.length
    if (same && seen < PREFACE.length) return
    stop()
    socket.pause()
    socket.unshift(held.length === 1 ? chunk : Buffer.concat(held))
    held = []
    if (same) targets.http2(socket)
    else {
      targets.http1(socket)
      socket.resume()
    }
  }

  socket.on('data', onData)
  socket.on('end', leave)
  socket.on('close', leave)
}
