/**
 * The units that people write in a configuration, and the plain numbers the code works with.
 * Each parser returns `undefined` for text that it does not understand: the caller knows what to say about it.
 */

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE_BYTES = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const
const RATE_WINDOW_MS = {
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
} as const

export const DURATION_PATTERN = '^\\d+(\\.\\d+)?(ms|s|m|h|d)$'
export const SIZE_PATTERN = '^\\d+(\\.\\d+)?(B|kB|KB|MB|GB|KiB|MiB|GiB)$'
export const RATE_PATTERN = '^\\d+/(s|sec|second|m|min|minute|h|hour|d|day)$'

/** `'30s'` → 30000 (milliseconds). `'0s'` is valid and means "switched off" where an option says so. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined
  return Math.round(Number(match[1]) * DURATION_MS[match[2] as keyof typeof DURATION_MS])
}

/** `'256MiB'` → 268435456 (bytes). */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text)
  const unit = match && SIZE_BYTES[match[2] as keyof typeof SIZE_BYTES]
  return match && unit ? Math.round(Number(match[1]) * unit) : undefined
}

/** `'100/min'` → `{ count: 100, windowMs: 60000 }`. */
export function parseRate(text: string): { count: number; windowMs: number } | undefined {
  const match = /^(\d+)\/([a-z]+)$/.exec(text)
  const windowMs = match && RATE_WINDOW_MS[match[2] as keyof typeof RATE_WINDOW_MS]
  return match && windowMs ? { count: Number(match[1]), windowMs } : undefined
}

/** 30000 → `'30s'`: the shortest exact writing of a duration in milliseconds. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms !== 0 && ms % DURATION_MS[unit] === 0) return `${ms / DURATION_MS[unit]}${unit}`
  }
  return `${ms}ms`
}

/** 268435456 → `'256MiB'`: a size in bytes for people, exact where a binary unit divides it. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= SIZE_BYTES[unit]) {
      const value = bytes / SIZE_BYTES[unit]
      return `${Number.isInteger(value) ? value : value.toFixed(1)}${unit}`
    }
  }
  return `${bytes}B`
}
