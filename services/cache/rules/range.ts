import { bodyLength, type StoredResponse } from '../stored.ts'

/** First and last byte, inclusive. */
export interface ByteRange {
  first: number
  last: number
}

/** More ranges than any client needs: the whole representation is the answer (RFC 9110 §14.2). */
const MAX_RANGES = 32

/** A part of a multipart answer costs about this much beside its bytes: what lies closer together is sent as one. */
const PART_OVERHEAD = 80

/**
 * What a Range field asks for. `whole`: it is ignored (another unit, malformed, too many ranges; RFC 9110 §14.2).
 * `unsatisfiable`: all of it lies behind the end (§15.5.17).
 */
export type RangeRequest = readonly ByteRange[] | 'whole' | 'unsatisfiable'

const UNIT = /^[ \t]*bytes=/i
const SPEC = /^[ \t]*(\d*)-(\d*)[ \t]*$/

/**
 * Reads a Range field against a representation of `length` bytes (RFC 9110 §14.1, §14.2). Ranges that overlap, or nearly
 * touch, become one, so that no byte is sent twice (§17.15); else the order is the client's.
 */
export function parseRange(value: string, length: number): RangeRequest {
  const unit = UNIT.exec(value)
  if (unit === null || length === 0) return 'whole'
  const specs = value.slice(unit[0].length).split(',', MAX_RANGES + 1)
  if (specs.length > MAX_RANGES) return 'whole'
  const ranges: ByteRange[] = []
  let given = 0
  for (const spec of specs) {
    if (spec.trim() === '') continue
    given++
    const range = parseSpec(spec, length)
    if (range === 'malformed') return 'whole'
    if (range !== undefined) add(ranges, range)
  }
  if (given === 0) return 'whole'
  return ranges.length === 0 ? 'unsatisfiable' : ranges
}

/** One range within the representation; `undefined` for one behind its end. */
function parseSpec(spec: string, length: number): ByteRange | undefined | 'malformed' {
  const match = SPEC.exec(spec)
  if (match === null) return 'malformed'
  const [, from, to] = match as unknown as [string, string, string]
  if (from === '') {
    if (to === '') return 'malformed'
    const suffix = position(to)
    return suffix === 0 ? undefined : { first: Math.max(0, length - suffix), last: length - 1 }
  }
  const first = position(from)
  const last = to === '' ? length - 1 : position(to)
  if (to !== '' && first > position(to)) return 'malformed'
  return first >= length ? undefined : { first, last: Math.min(last, length - 1) }
}

/** Digits without end are a very large number: the grammar sets no bound (RFC 9110 §14.1.1). */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}

/**
 * Joins a range with all that it overlaps or nearly touches; the result stands where the first of them stood. What touches
 * none of two that touch each other does not touch both together either.
 */
function add(ranges: ByteRange[], range: ByteRange): void {
  let at = ranges.length
  let { first, last } = range
  for (let i = ranges.length - 1; i >= 0; i--) {
    const other = ranges[i] as ByteRange
    if (other.first > last + PART_OVERHEAD || first > other.last + PART_OVERHEAD) continue
    first = Math.min(first, other.first)
    last = Math.max(last, other.last)
    ranges.splice(i, 1)
    at = i
  }
  ranges.splice(at, 0, { first, last })
}

/** `uncovered`: what is stored is a part, which does not hold all that is asked for. */
export type RangeSelection = RangeRequest | 'uncovered'

/**
 * What of a stored response a Range asks for (RFC 9111 §3.3, §4): positions in the representation, all of which are
 * stored.
 */
export function selectRanges(value: string, stored: Pick<StoredResponse, 'part' | 'body'>): RangeSelection {
  const { part } = stored
  if (part === null) return parseRange(value, bodyLength(stored.body))
  if (part.complete === null && !/^[ \t]*bytes=[ \t]*\d+-\d+[ \t]*$/i.test(value)) return 'uncovered'
  // Without the length, the one range that stands for itself is read as if the part ended the representation.
  const ranges = parseRange(value, part.complete ?? Number.MAX_SAFE_INTEGER)
  if (ranges === 'whole') return 'uncovered'
  if (ranges === 'unsatisfiable') return part.complete === null ? 'uncovered' : ranges
  for (const { first, last } of ranges) if (first < part.first || last > part.last) return 'uncovered'
  return ranges
}
