import { SIZE_PATTERN } from '../services/options/units.ts'
import { asText } from './value.ts'

/** Longer words are not compared: the work grows with the product of the lengths. */
const MAX_LENGTH = 64
/** Shorter words begin too much. */
const SHORTEST_BEGINNING = 4

/** The candidate that a word was probably meant to be, or `undefined` when none is near. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > MAX_LENGTH) return undefined
  const known = [...candidates]
  const same = known.find((candidate) => bare(candidate) === bare(word))
  if (same !== undefined) return same
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    if (candidate.length > MAX_LENGTH) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? beginning(word, known)
}

/** `strip` for `stripPrefix`: the only one that begins so. */
function beginning(word: string, known: string[]): string | undefined {
  const longer = known.filter((candidate) => bare(candidate).startsWith(bare(word)))
  return word.length >= SHORTEST_BEGINNING && longer.length === 1 ? longer[0] : undefined
}

/** Without what other tools would write: `first_byte` and `first-byte` are `firstByte`. */
function bare(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '')
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let distance = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(distance)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

const DURATION_WORDS: [RegExp, string][] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
]
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'kB', 'MB', 'GB']
const SIZE_LETTERS: Record<string, string> = { b: 'B', k: 'KiB', m: 'MiB', g: 'GiB' }

/** How a value with a wrong unit, or none, was probably meant: `'30 sec'` → `'30s'`, `'64mb'` → `'64MB'`. */
export function closestUnit(unit: string, value: unknown): string | undefined {
  const text = asText(value).trim()
  const [, number, word = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? []
  if (unit === 'rate') return closestRate(text)
  if (number === undefined) return undefined
  if (unit === 'duration') {
    if (word === '') return Number(number) >= 1000 ? `${number}ms` : `${number}s`
    const known = DURATION_WORDS.find(([pattern]) => pattern.test(word.toLowerCase()))
    return known && `${number}${known[1]}`
  }
  const size = SIZES.find((known) => known.toLowerCase() === word.toLowerCase()) ?? SIZE_LETTERS[word.toLowerCase()]
  const written = `${number}${word === '' ? 'B' : (size ?? '')}`
  return new RegExp(SIZE_PATTERN).test(written) ? written : undefined
}

function closestRate(text: string): string | undefined {
  const [, count, word] = /^(\d+)\s*(?:\/|per\b|p|a\b)?\s*([A-Za-z]*)$/.exec(text) ?? []
  if (count === undefined) return undefined
  if (word === '' || word === undefined) return `${count}/s`
  const known = DURATION_WORDS.slice(1).find(([pattern]) => pattern.test(word.toLowerCase()))
  return known && `${count}/${known[1] === 'm' ? 'min' : known[1]}`
}
