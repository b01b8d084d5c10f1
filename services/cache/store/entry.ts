import type { Control, Told } from '../rules/sending.ts'
import type { StoredResponse } from '../stored.ts'
import type { Queued } from './s3-fifo.ts'

/** Until when an entry is good, in ms since 1970. The rest of its lifespan is worked out when it is asked for. */
export interface EntryTimes {
  /** Age is counted from here. */
  bornAt: number
  /** Served without asking anybody before this time. */
  freshUntil: number
  /** Of no use to anybody from this time on: not even stale, or for validation. */
  usableUntil: number
}

/** One stored response in memory, with what serving it needs. May be dropped at any time; what it holds never changes. */
export interface Entry extends EntryTimes, Queued {
  readonly key: string
  readonly stored: StoredResponse
  /** What clients get of it: the same, unless its route says something in place of the origin. */
  readonly told: StoredResponse
  /** What its route says of how long clients may keep it; `null` for nothing. */
  readonly controls: readonly Control[] | null
  /** Memory that it is taken to hold; the store alone changes it. */
  bytes: number
  /** A soft purge came over it: stale whatever its times say, to be validated before use. */
  invalidated: boolean
  hits: number
  /** The header block as last written, kept by whoever writes it, and for few. */
  head: string | undefined
  /** Its codings, kept by whoever makes them, who tells the store of their size. */
  forms: unknown
}

/** An entry that is in no store: it answers once. */
export function looseEntry(key: string, stored: StoredResponse, times: EntryTimes, said?: Told): Entry {
  return entryOf(stored, { key, bytes: 0, times, said })
}

/** @param said what clients are told in place of what is stored */
export function entryOf(
  stored: StoredResponse,
  { key, bytes, times, said }: { key: string; bytes: number; times: EntryTimes; said: Told | undefined },
): Entry {
  const { bornAt, freshUntil, usableUntil } = times
  return {
    key,
    stored,
    told: said === undefined ? stored : { ...stored, fields: said.fields },
    controls: said === undefined || said.controls.length === 0 ? null : said.controls,
    bytes,
    bornAt,
    freshUntil,
    usableUntil,
    invalidated: false,
    hits: 0,
    head: undefined,
    forms: undefined,
    uses: 0,
    queue: null,
    newer: null,
    older: null,
  }
}

/** What is stored under one primary key. */
export interface Resource {
  readonly key: string
  /** Its variants, latest received first. Replaced as a whole: one that is being gone through does not change. */
  entries: readonly Entry[]
  /** Names of request fields that choose among the entries: of all their `vary`, sorted. */
  vary: readonly string[]
}

/** Whether two responses are the same variant: the same fields with the same values (RFC 9111 §4.1). */
export function sameVariant(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false
  return true
}

/** What {@link Resource.vary} is for these entries. */
export function varyNames(entries: readonly Entry[]): string[] {
  const names = new Set<string>()
  for (const { stored } of entries) for (let i = 0; i < stored.vary.length; i += 2) names.add(stored.vary[i] as string)
  return [...names].sort()
}
