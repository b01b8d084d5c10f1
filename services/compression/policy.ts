import type { CompressionOptions, Levels } from './options.ts'
import type { EligibilityPolicy } from './rules/eligibility.ts'
import { compileMediaTypes } from './rules/media-types.ts'
import { type Choice, chooseCoding, type Coding } from './rules/negotiation.ts'

/** What the configuration makes of a route's compression; compiled at boot. */
export interface CompressionPolicy extends EligibilityPolicy {
  /** For a value of Accept-Encoding. */
  choose(accepted: string | undefined): Choice
  levels: Levels
  transcode: boolean
  stored: { levels: Levels; maxBytes: number }
  /** The same text for the same options: what was made by others is not used. */
  fingerprint: string
}

/** Values of Accept-Encoding that are remembered; browsers send a handful. */
const MOST_CHOICES = 256

export function compileCompression(options: CompressionOptions): CompressionPolicy {
  const { codings, types, thresholdBytes, levels, transcode, stored } = options
  return {
    choose: rememberedChoice(codings),
    types: compileMediaTypes(types),
    thresholdBytes,
    levels,
    transcode,
    stored,
    fingerprint: JSON.stringify(options),
  }
}

function rememberedChoice(preference: readonly Coding[]): CompressionPolicy['choose'] {
  const known = new Map<string, Choice>()
  const none = chooseCoding(undefined, preference)
  return (accepted) => {
    if (accepted === undefined) return none
    let choice = known.get(accepted)
    if (choice === undefined) {
      choice = chooseCoding(accepted, preference)
      if (known.size >= MOST_CHOICES) known.clear()
      known.set(accepted, choice)
    }
    return choice
  }
}
