import { readJsonText } from '../http/json-text.ts'
import type { FindingPlace, Findings } from './finding.ts'

/**
 * Reads JSON, of which each object has a name once.
 *
 * @param where `before`: what the pointers of findings begin with
 * @returns `undefined` where it is none: `findings` say so
 */
export function readJsonValue(
  text: string,
  where: { place: FindingPlace; before: string; findings: Findings },
): unknown {
  const { place, before, findings } = where
  const read = readJsonText(text)
  if (typeof read === 'string') {
    // What a parser says of it would show what is in it.
    findings.add(place, before, read)
    return undefined
  }
  if (read.duplicate === undefined) return read.value
  findings.add(place, before + read.duplicate, 'stands more than once')
  return undefined
}
