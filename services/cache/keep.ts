import type { CachePolicy } from './policy.ts'
import { tell, type Told } from './rules/sending.ts'
import { type Entry, type EntryTimes, looseEntry } from './store/entry.ts'
import type { MemoryStore } from './store/memory.ts'
import type { StoredResponse } from './stored.ts'

/** A response that is to answer clients, and under which key. */
export interface Kept {
  key: string
  stored: StoredResponse
  times: EntryTimes
}

/** Puts a response into memory, with what its route tells clients of it. @returns `undefined` where it is too large */
export function keep(store: MemoryStore, policy: CachePolicy, { key, stored, times }: Kept): Entry | undefined {
  if (policy.send === null) return store.put(key, stored, times)
  return store.put(key, stored, times, (own) => toldOf(policy, own, { isShared: true, isGiven: times.freshUntil > 0 }))
}

/** The same for one that is in no store, and answers once. @param isShared others might have it, too */
export function loose(policy: CachePolicy, { key, stored, times }: Kept, isShared: boolean): Entry {
  return looseEntry(key, stored, times, toldOf(policy, stored, { isShared, isGiven: isShared && times.freshUntil > 0 }))
}

function toldOf(
  { send }: CachePolicy,
  stored: StoredResponse,
  how: { isShared: boolean; isGiven: boolean },
): Told | undefined {
  return send === null ? undefined : tell(send, { ...stored, ...how })
}
