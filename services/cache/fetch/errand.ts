import type { CacheExchange } from '../context.ts'
import type { ForwardReason } from '../rules/cache-status.ts'
import type { Question } from '../rules/revalidation.ts'
import type { Storability } from '../rules/storable.ts'
import type { KnownVariation } from '../search-variations.ts'
import type { Entry } from '../store/entry.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import type { Completing } from './completion.ts'

/** What is known of a request that the store did not answer. */
export interface Lookup {
  key: string
  reason: ForwardReason
  /** What is stored and may be validated. */
  selected?: Entry | undefined
  /** All responses for the target. */
  stored?: readonly Entry[] | undefined
  /** What of the query the key has. */
  variation?: KnownVariation | undefined
  /** The part that the request selects, where it wants more than that. */
  part?: Entry | undefined
}

/** Why a request is sent to the origin, what is known before, and what its answer turns out to be. */
export interface Errand {
  /** Whose request it is made from. */
  client: CacheExchange
  key: string
  reason: ForwardReason
  /** What is stored and would answer, if the origin says that it still holds, or fails. */
  selected: Entry | undefined
  question: Question | undefined
  /** All that was stored for the target. */
  stored: readonly Entry[]
  mark: PurgeMark
  /** What of the query the key has: those who wait may have asked with others. */
  variation: KnownVariation | undefined
  /** A part is asked for. */
  part: boolean
  /** What a stored part lacks is asked for. */
  completing: Completing | undefined
  /** How often its waiters have been sent from one flight to the next. */
  rounds: number
  /** Set once the head has come. */
  storable: Storability | undefined
  /** By what the answer is purged, as far as that is known yet. */
  tags: readonly string[]
  /** The request fields that Vary names, as the answer has them. */
  vary: readonly string[] | '*'
  /** What takes the place of the selected response; in no store where it must not, or may no longer, be stored. */
  updated: Entry | undefined
  /** The same for the client itself: with the fields that are for nobody else. */
  own: Entry | undefined
  /** It is stored, in whatever tier. */
  isKept: boolean
}
