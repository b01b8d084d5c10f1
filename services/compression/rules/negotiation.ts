import { weights } from '../../http/weights.ts'

/** The content codings that can be made here (RFC 1952, RFC 7932, RFC 8878). */
export const CODINGS = ['zstd', 'br', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

export interface Choice {
  /** `null`: as it is. */
  coding: Coding | null
  /** The client refuses what is not coded: what would be too small for it is coded all the same. */
  isRequired: boolean
}

/**
 * The coding for a client (RFC 9110 §12.5.3): the one of the highest weight, among equals the one that stands first in
 * `preference`. `*` stands for all that are not named. Without the field, or with a malformed one, nothing is coded, and
 * neither where the client weighs `identity` by name above all that can be made. Where it accepts nothing that can be
 * made, it gets the answer as it is: a 406 would serve nobody.
 *
 * @param accepted Accept-Encoding, its lines joined; `undefined` without one
 */
export function chooseCoding(accepted: string | undefined, preference: readonly Coding[]): Choice {
  const found = accepted === undefined ? undefined : weights(accepted)
  if (found === undefined) return AS_IT_IS
  const any = found.get('*') ?? 0
  let coding: Coding | null = null
  let best = 0
  for (const candidate of preference) {
    const weight = weightOf(found, candidate) ?? any
    if (weight > best) {
      best = weight
      coding = candidate
    }
  }
  if (coding === null) return AS_IT_IS
  const identity = found.get('identity')
  if (identity !== undefined && identity > best) return AS_IT_IS
  return { coding, isRequired: (identity ?? found.get('*')) === 0 }
}

const AS_IT_IS: Choice = { coding: null, isRequired: false }

function weightOf(found: ReadonlyMap<string, number>, coding: Coding): number | undefined {
  // RFC 9110 §8.4.1.3: x-gzip is the same.
  return found.get(coding) ?? (coding === 'gzip' ? found.get('x-gzip') : undefined)
}
