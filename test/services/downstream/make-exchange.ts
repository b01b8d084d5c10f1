import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import type { Prepared } from '../../../services/downstream/prepared.ts'
import type { Reply } from '../../../services/downstream/reply.ts'
import { TrustedProxies } from '../../../services/downstream/trust.ts'

export interface ExchangeInit {
  method?: string
  target?: string
  version?: '1.0' | '1.1'
  /** Flat: name, value. Default: one Host. */
  fields?: string[]
  body?: Readable
  address?: string
  encrypted?: boolean
  trust?: string[]
}

/** An exchange as the lane begins it for an HTTP/1 request, without a socket. */
export function makeExchange<Plan = unknown>(init: ExchangeInit = {}): Exchange<Plan> {
  const connection = { remoteAddress: init.address ?? '198.51.100.1', encrypted: init.encrypted ?? false }
  const request = Object.assign(init.body ?? Readable.from([]), {
    method: init.method ?? 'GET',
    url: init.target ?? '/',
    httpVersionMinor: init.version === '1.0' ? 0 : 1,
    rawHeaders: init.fields ?? ['Host', 'gateway.test'],
  })
  return Exchange.fromHttp1<Plan>(
    request as unknown as IncomingMessage,
    new Peer(connection, new TrustedProxies(init.trust ?? [])),
  )
}

/** A reply that writes down what it is told. */
export class RecordedReply implements Reply {
  readonly told: string[] = []
  gone = false
  headSent = false
  closing = false

  continue(): void {
    this.told.push('continue')
  }

  informational(status: number): void {
    this.told.push(`informational ${status}`)
  }

  head(status: number, fields: string[], length: number | null): void {
    this.headSent = true
    this.told.push(`head ${status} ${fields.join('|')} ${length}`)
  }

  write(chunk: Uint8Array): boolean {
    this.told.push(`write ${Buffer.from(chunk).toString()}`)
    return true
  }

  drained(callback: () => void): void {
    callback()
  }

  end(chunk?: Uint8Array): void {
    this.told.push(`end ${chunk === undefined ? '' : Buffer.from(chunk).toString()}`.trim())
  }

  whole({ told }: Prepared, own: readonly string[]): void {
    this.headSent = true
    this.told.push(`whole ${told.status} ${[...told.fields, ...own].join('|')} ${told.body.length}`)
  }

  closed(): void {}

  abort(): void {
    this.gone = true
    this.told.push('abort')
  }
}
