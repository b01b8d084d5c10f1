import { deltaSeconds, MAX_DELTA_SECONDS } from './cache-control.ts'
import { fieldLines, type FieldList, type ResponseHead } from './message.ts'
import { dateOf } from './validators.ts'

/**
 * The Age that came with a response, in seconds; `undefined` without a readable one. The first number of the list
 * counts (RFC 9111 §5.1); members that are none are passed over, so that noise before a number does not make an old
 * response young.
 */
export function receivedAge(fields: FieldList): number | undefined {
  for (const line of fieldLines(fields, 'age')) {
    for (const member of line.split(',')) {
      const age = deltaSeconds(member.trim())
      if (age !== undefined) return age
    }
  }
  return undefined
}

/** corrected_initial_age (RFC 9111 §4.2.3), in milliseconds: how old the response was when it came. */
export function initialAge(head: ResponseHead): number {
  // Date has whole seconds: compared with less, every response would come up to a second old.
  const apparentAge = Math.max(0, Math.floor(head.receivedAt / 1000) * 1000 - dateOf(head))
  const responseDelay = Math.max(0, head.receivedAt - head.requestedAt)
  const correctedAge = (receivedAge(head.fields) ?? 0) * 1000 + responseDelay
  return Math.max(apparentAge, correctedAge)
}

/** The time, in milliseconds, at which the response was 0 seconds old: what {@link ageAt} counts from. */
export function bornAt(head: ResponseHead): number {
  return head.receivedAt - initialAge(head)
}

/** current_age (RFC 9111 §4.2.3) in whole seconds, as the Age field has it. */
export function ageAt(born: number, now: number): number {
  const age = Math.floor((now - born) / 1000)
  return age <= 0 ? 0 : Math.min(age, MAX_DELTA_SECONDS)
}
