import type { Config } from '../config/config.ts'
import { Access } from '../services/access/access.ts'
import { Exchange } from '../services/downstream/exchange.ts'
import type { Identity } from '../services/downstream/identity.ts'
import { Peer } from '../services/downstream/peer.ts'
import type { Reply } from '../services/downstream/reply.ts'
import { TrustedProxies } from '../services/downstream/trust.ts'
import { ANSWERED, type Gate, type GateStep } from '../services/gate/gate.ts'
import { gatesOf } from '../services/gate/gates.ts'
import { readRequestFields } from '../services/http/request-fields.ts'
import { LimitGate } from '../services/limit/limit-gate.ts'
import type { RouteOptions } from '../services/routing/options.ts'
import { idleGates } from './explained-gates.ts'
import type { Asked } from './explanation.ts'

/** What one gate says to a request. */
export interface GateVerdict {
  step: GateStep
  /** What it asks for. */
  asks: string
  verdict: 'passes' | 'refuses' | 'answers' | 'not asked'
  /** Of the answer, where there is one. */
  status: number | null
  code: string | null
  detail: string
}

/** Who calls, as the gates have found out. */
export interface Caller {
  id: string
  scheme: string
  consumer: string | null
  tier: string | null
  groups: readonly string[]
  scopes: readonly string[]
}

export interface Judgement {
  /** `undefined` where nobody has been asked for, or shown. */
  identity: Identity | undefined
  gates: GateVerdict[]
}

/**
 * Asks the gates of a route about a request, as a gateway does that has just started: nobody has asked it anything, and
 * limits have all their room. Keys of tokens are fetched where the configuration names a URL; nothing else is sent.
 *
 * @param path canonical, without its query
 * @throws HR_ACCESS_*, HR_RATE_* for a configuration that cannot be used
 */
export async function judgeGates(
  config: Config,
  request: Asked,
  { route, path }: { route: RouteOptions; path: string },
): Promise<Judgement> {
  const access = new Access(config.access, config.routes, { log: SILENT })
  try {
    const exchange = exchangeOf(request, path)
    const gates: GateVerdict[] = []
    let isOver = false
    for (const gate of gatesOf(route, idleGates(config, access))?.list ?? []) {
      const verdict: GateVerdict = isOver ? { ...UNASKED, ...named(gate) } : await ask(gate, exchange)
      isOver ||= verdict.verdict !== 'passes'
      gates.push(verdict)
    }
    return { identity: exchange.identity, gates }
  } finally {
    access.close()
  }
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
const UNASKED = { verdict: 'not asked', status: null, code: null, detail: '' } as const

const named = ({ step, description }: Gate): Pick<GateVerdict, 'step' | 'asks'> => ({ step, asks: description })

async function ask(gate: Gate, exchange: Exchange): Promise<GateVerdict> {
  const verdict = await gate.check(exchange)
  if (verdict === undefined) {
    const detail = gate instanceof LimitGate ? limitsInWords(gate.holdingFor(exchange)) : ''
    return { ...UNASKED, ...named(gate), verdict: 'passes', detail }
  }
  if (verdict === ANSWERED) return { ...UNASKED, ...named(gate), verdict: 'answers', status: exchange.status }
  const { statusCode = 500, code, message } = verdict
  return { ...named(gate), verdict: 'refuses', status: statusCode, code, detail: message }
}

/** A consumer without a tier may have none at all. */
function limitsInWords(names: readonly string[]): string {
  return names.length === 0 ? 'none of these limits holds for this caller' : `counted by ${names.join(', ')}`
}

function exchangeOf({ method, host, path: target, scheme = 'http', authority = host, ...asked }: Asked, path: string) {
  const { fields = [], address = '127.0.0.1' } = asked
  const peer = new Peer({ remoteAddress: address, encrypted: scheme === 'https' }, new TrustedProxies([]))
  const exchange = new Exchange<{ key: string }>({
    protocol: '1.1',
    method,
    target,
    fields: readRequestFields(['host', authority, ...fields]),
    body: null,
    peer,
  })
  const query = target.indexOf('?')
  exchange.reply = new UnheardReply()
  Object.assign(exchange, { scheme, authority, host, path, clientAddress: peer.address, requestId: 'explain' })
  exchange.query = query === -1 ? '' : target.slice(query)
  return exchange
}

/** Nobody listens: what a gate would answer is told by its status. */
class UnheardReply implements Reply {
  readonly gone = false
  readonly headSent = false
  closing = false
  continue(): void {}
  informational(): void {}
  head(): void {}
  write(): boolean {
    return true
  }
  drained(callback: () => void): void {
    callback()
  }
  end(): void {}
  whole(): void {}
  closed(): void {}
  abort(): void {}
}

/** What of an identity is shown: its claims may say more than is anybody's business. */
export function callerOf(identity: Identity | undefined): Caller | null {
  if (identity === undefined) return null
  const { id, scheme, consumer, tier, groups, scopes } = identity
  return { id, scheme, consumer, tier, groups, scopes }
}
