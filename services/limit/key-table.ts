import { getRandomValues } from 'node:crypto'

/** Slots that a key may stand in: looking for it costs the same however full the table is. */
const WAYS = 8
const SEGMENTS = 64
const FIRST_SETS = 8

/**
 * One number for each of very many keys, such as a theoretical arrival time, in memory that the garbage collector does not
 * see: 16 bytes a slot, at most `maxKeys` rounded up to a power of two, twice.
 *
 * No key is kept. Two 32-bit hashes with seeds by chance stand for it, so that nothing of a header is in memory, and two of a
 * million keys are mistaken for each other once in some ten million processes.
 *
 * A key has eight slots that it may stand in. Where all are taken, the smallest number makes room: a time that has passed says
 * nothing, so that costs nothing; else it is the key that has used least of its limit. A flood of keys therefore displaces
 * itself, and never somebody who is held back.
 */
export class KeyTable {
  readonly #segments: Segment[] = []
  readonly #seeds = getRandomValues(new Uint32Array(2))
  #segment: Segment
  #slot = 0
  #low = 0
  #high = 0

  constructor({ maxKeys }: { maxKeys: number }) {
    // Half full on average, hardly any set of eight overflows.
    const sets = 2 ** Math.ceil(Math.log2((2 * maxKeys) / SEGMENTS / WAYS))
    for (let i = 0; i < SEGMENTS; i++) this.#segments.push(new Segment(Math.max(1, sets)))
    this.#segment = this.#segments[0] as Segment
  }

  /**
   * Looks a key up; {@link put} then writes to it.
   *
   * @param now numbers that are not above it say nothing any more
   * @returns its number; 0 where it has none
   */
  seek(key: string, now: number): number {
    this.#hash(key)
    this.#segment = this.#segments[this.#high >>> 26] as Segment
    this.#slot = this.#segment.seek(this.#low, this.#high, now)
    return this.#slot < 0 ? 0 : (this.#segment.values[this.#slot] as number)
  }

  /** Of the key that was looked up last. */
  put(value: number): void {
    this.#segment.put(this.#slot, this.#low, this.#high, value)
  }

  /** Keys whose number is above this. It looks at every slot. */
  count(now: number): number {
    return this.#segments.reduce((sum, segment) => sum + segment.count(now), 0)
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Mixing as in MurmurHash3, in two lanes; see the bench for what it costs. */
  #hash(key: string): void {
    let low = this.#seeds[0] as number
    let high = this.#seeds[1] as number
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i)
      low = Math.imul(low ^ code, 0xcc9e2d51)
      low = (low << 13) | (low >>> 19)
      high = Math.imul(high ^ code, 0x1b873593)
      high = (high << 17) | (high >>> 15)
    }
    low = Math.imul(low ^ (low >>> 16) ^ key.length, 0x85ebca6b)
    high = Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
    this.#low = (low ^ (high >>> 15)) >>> 0
    this.#high = (high ^ (low >>> 16)) >>> 0
  }
}

/** 32-bit words of a set: eight low halves, eight high halves, eight numbers of two words. */
const SET_WORDS = 4 * WAYS
const HIGHS = WAYS
/** Where the numbers of a set begin, in numbers of 64 bits. */
const VALUES = WAYS

/**
 * A part of the table, which grows by itself: that takes a moment for a 64th of all keys, never for all of them. A set lies
 * in one piece, 128 bytes: looking at it costs one miss of the processor's cache, or two.
 */
class Segment {
  values: Float64Array
  #words: Uint32Array
  readonly #mostSets: number
  #mask: number

  constructor(mostSets: number) {
    const sets = Math.min(FIRST_SETS, mostSets)
    this.#mostSets = mostSets
    this.#mask = sets - 1
    this.values = new Float64Array(sets * 2 * WAYS)
    this.#words = new Uint32Array(this.values.buffer)
  }

  get bytes(): number {
    return this.values.byteLength
  }

  /** @returns where in `values` its number is; where it may stand, negative and one less, if it is not there */
  seek(low: number, high: number, now: number): number {
    for (;;) {
      const words = this.#words
      const set = low & this.#mask
      const first = set * SET_WORDS
      const place = set * 2 * WAYS + VALUES
      for (let i = 0; i < WAYS; i++) {
        if (words[first + i] === low && words[first + HIGHS + i] === high && this.values[place + i] !== 0)
          return place + i
      }
      const least = this.#least(place)
      if ((this.values[least] as number) <= now || this.#mask + 1 >= this.#mostSets) return -1 - least
      this.#grow()
    }
  }

  put(place: number, low: number, high: number, value: number): void {
    const at = place < 0 ? -1 - place : place
    this.values[at] = value
    if (place >= 0) return
    const way = at % WAYS
    const first = Math.floor(at / (2 * WAYS)) * SET_WORDS
    this.#words[first + way] = low
    this.#words[first + HIGHS + way] = high
  }

  count(now: number): number {
    let count = 0
    for (let set = 0; set <= this.#mask; set++) {
      const place = set * 2 * WAYS + VALUES
      for (let i = 0; i < WAYS; i++) if ((this.values[place + i] as number) > now) count++
    }
    return count
  }

  #least(place: number): number {
    let least = place
    for (let i = place + 1; i < place + WAYS; i++) {
      if ((this.values[i] as number) < (this.values[least] as number)) least = i
    }
    return least
  }

  /** Each set becomes two, by one bit more of the hash: a key that stood in one of eight slots does so again. */
  #grow(): void {
    const [values, words] = [this.values, this.#words]
    const sets = this.#mask + 1
    this.#mask = sets * 2 - 1
    this.values = new Float64Array(values.length * 2)
    this.#words = new Uint32Array(this.values.buffer)
    for (let set = 0; set < sets; set++) {
      for (let way = 0; way < WAYS; way++) {
        const value = values[set * 2 * WAYS + VALUES + way] as number
        if (value === 0) continue
        const low = words[set * SET_WORDS + way] as number
        const high = words[set * SET_WORDS + HIGHS + way] as number
        const to = (low & this.#mask) * 2 * WAYS + VALUES + way
        this.put(-1 - to, low, high, value)
      }
    }
  }
}
