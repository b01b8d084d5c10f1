import type { AccessScheme } from '../downstream/identity.ts'
import type { CallerCount } from './counters.ts'

export interface KeyReport {
  id: string
  created: string | null
  /** ISO 8601; `null` for never. */
  expires: string | null
  /** ISO 8601; `null` for never since the start of any process. */
  lastUsed: string | null
  note: string | null
  revoked: boolean
}

export interface ConsumerReport {
  name: string
  enabled: boolean
  tier: string | null
  groups: string[]
  scopes: string[]
  /** How it may show who it is. */
  ways: AccessScheme[]
  keys: KeyReport[]
}

/** Who there is, who calls most, and what was decided. */
export interface ConsumersReport {
  /** Where the file is; `null` without one. */
  file: string | null
  consumers: ConsumerReport[]
  callers: CallerCount[]
}

const MOST_CALLERS = 100

/** Of several processes: counts add up, what is latest counts. */
export function mergeConsumers(parts: readonly ConsumersReport[]): ConsumersReport {
  const [first] = parts
  if (first === undefined) return { file: null, consumers: [], callers: [] }
  return { file: first.file, consumers: parts.reduce(latestUse, first.consumers), callers: addCallers(parts) }
}

/** What one process knows of the use of keys, over what others do. */
function latestUse(consumers: ConsumerReport[], { consumers: others }: ConsumersReport): ConsumerReport[] {
  const used = new Map(others.flatMap(({ keys }) => keys.map((key) => [key.id, key] as const)))
  return consumers.map((consumer) => ({
    ...consumer,
    keys: consumer.keys.map((key) => {
      const other = used.get(key.id)
      // Both in the same form: the later one is the larger text.
      const lastUsed = (other?.lastUsed ?? '') > (key.lastUsed ?? '') ? (other?.lastUsed ?? null) : key.lastUsed
      return { ...key, lastUsed, revoked: key.revoked || other?.revoked === true }
    }),
  }))
}

function addCallers(parts: readonly ConsumersReport[]): CallerCount[] {
  const sums = new Map<string, CallerCount>()
  for (const one of parts.flatMap(({ callers }) => callers)) {
    const sum = sums.get(one.id)
    if (sum === undefined) {
      sums.set(one.id, { ...one })
      continue
    }
    sum.allowed += one.allowed
    sum.denied += one.denied
    sum.lastSeenAt = Math.max(sum.lastSeenAt, one.lastSeenAt)
  }
  return [...sums.values()].toSorted((a, b) => b.allowed + b.denied - (a.allowed + a.denied)).slice(0, MOST_CALLERS)
}
