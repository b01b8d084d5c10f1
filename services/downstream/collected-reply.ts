import type { Prepared } from './prepared.ts'
import type { Reply } from './reply.ts'

/** A whole answer, as a framework sends it: fields without framing, name, value, name, value. */
export interface Answer {
  status: number
  fields: string[]
  /** `null` where there is none, as in a 304. */
  body: Buffer | null
}

/** A reply that keeps what is answered, for a framework that writes it. Answers from a store come at once, as a whole. */
export class CollectedReply implements Reply {
  closing = false
  readonly gone = false
  answer: Answer | undefined

  get headSent(): boolean {
    return this.answer !== undefined
  }

  continue(): void {}

  informational(): void {}

  head(status: number, fields: string[]): void {
    this.answer = { status, fields: ownFields(fields), body: null }
  }

  write(chunk: Uint8Array): boolean {
    const answer = this.answer as Answer
    answer.body = answer.body === null ? Buffer.from(chunk) : Buffer.concat([answer.body, chunk])
    return true
  }

  drained(callback: () => void): void {
    callback()
  }

  end(chunk?: Uint8Array): void {
    if (chunk !== undefined) this.write(chunk)
  }

  whole({ told: { status, fields, body } }: Prepared, own: readonly string[]): void {
    this.answer = {
      status,
      fields: ownFields([...fields.filter((_, i) => fields[i - (i % 2)] !== 'age'), ...own]),
      // A copy: what a hook of the application does to it stays there.
      body: typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body),
    }
  }

  closed(): void {}

  abort(): void {
    this.answer = undefined
  }
}

/** The id of a request is the application's to tell. */
function ownFields(fields: readonly string[]): string[] {
  return fields.filter((_, i) => fields[i - (i % 2)] !== 'x-request-id')
}
