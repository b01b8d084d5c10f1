/** What Redis says of its own memory. A cluster's masters are added up. */
export interface RedisMemory {
  usedBytes: number
  /** `null` without a limit. */
  maxBytes: number | null
  /** Keys that it dropped for room, since its start. */
  evictedKeys: number
}

/** @param answers to INFO, of each master */
export function readMemory(answers: readonly string[]): RedisMemory {
  const sum = (field: string): number => {
    const found = new RegExp(`^${field}:(\\d+)`, 'm')
    return answers.reduce((total, text) => total + Number(found.exec(text)?.[1] ?? 0), 0)
  }
  return { usedBytes: sum('used_memory'), maxBytes: sum('maxmemory') || null, evictedKeys: sum('evicted_keys') }
}
