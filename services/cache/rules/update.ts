import type { FieldList, ResponseHead } from './message.ts'

/**
 * What a later answer never changes in a stored response (RFC 9111 §3.2): the length is the stored body's own, and so
 * are its coding and its range, which a 304 repeats wrongly at times.
 */
const OWN = new Set(['content-length', 'content-encoding', 'content-range'])

/**
 * The fields of a stored response after a later answer about it: each field of the answer replaces all lines of that
 * name, the rest stays (RFC 9111 §3.2). Age never stays, since the answer is new; without a Date, the answer has that of
 * its arrival (RFC 9110 §6.6.1).
 */
export function updatedFields(stored: FieldList, answer: ResponseHead): string[] {
  const given = new Set<string>()
  const added: string[] = []
  for (let i = 0; i < answer.fields.length; i += 2) {
    const name = answer.fields[i] as string
    if (OWN.has(name)) continue
    given.add(name)
    added.push(name, answer.fields[i + 1] as string)
  }
  if (!given.has('date')) {
    given.add('date')
    added.push('date', new Date(answer.receivedAt).toUTCString())
  }
  given.add('age')
  const fields: string[] = []
  for (let i = 0; i < stored.length; i += 2) {
    if (!given.has(stored[i] as string)) fields.push(stored[i] as string, stored[i + 1] as string)
  }
  return fields.concat(added)
}
