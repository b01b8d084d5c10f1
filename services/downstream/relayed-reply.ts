import type { Prepared } from './prepared.ts'
import type { Reply } from './reply.ts'

/** A reply that passes everything on to another: what stands between an answer and its client changes some of it. */
export class RelayedReply implements Reply {
  protected readonly reply: Reply

  constructor(reply: Reply) {
    this.reply = reply
  }

  get gone(): boolean {
    return this.reply.gone
  }

  get headSent(): boolean {
    return this.reply.headSent
  }

  get closing(): boolean {
    return this.reply.closing
  }

  set closing(closing: boolean) {
    this.reply.closing = closing
  }

  continue(): void {
    this.reply.continue()
  }

  informational(status: number, fields: string[]): void {
    this.reply.informational(status, fields)
  }

  head(status: number, fields: string[], length: number | null): void {
    this.reply.head(status, fields, length)
  }

  write(chunk: Uint8Array): boolean {
    return this.reply.write(chunk)
  }

  drained(callback: () => void): void {
    this.reply.drained(callback)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    this.reply.end(chunk, trailers)
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    this.reply.whole(prepared, own)
  }

  closed(callback: () => void): void {
    this.reply.closed(callback)
  }

  abort(): void {
    this.reply.abort()
  }
}
