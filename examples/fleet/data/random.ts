/** A source of repeatable chance: the same seed gives the same sequence on every machine and in every run. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** Both bounds included. */
  integer(min: number, max: number): number
  decimal(min: number, max: number, digits: number): number
  pick<const T>(values: readonly [T, ...T[]]): T
  chance(probability: number): boolean
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string
}

/** Mulberry32, seeded with the FNV-1a hash of a text: not for secrets. */
export function createRandom(seed: string): Random {
  let state = 0x811c9dc5
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193)

  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    integer,
    decimal: (min, max, digits) => Number((min + next() * (max - min)).toFixed(digits)),
    pick: <const T>(values: readonly [T, ...T[]]): T => values[integer(0, values.length - 1)] ?? values[0],
    chance: (probability) => next() < probability,
    text: (length, alphabet) => Array.from({ length }, () => alphabet[integer(0, alphabet.length - 1)]).join(''),
  }
}
