import { cookieOf } from '../cookies.ts'

/** A cookie to be set: HttpOnly, Secure, SameSite=Lax, for all paths. */
export interface SetCookie {
  name: string
  /** Characters that a cookie may have. */
  value: string
  /** Seconds; 0 takes it away. */
  maxAgeS: number
}

/** RFC 6265 §6.1: 4096 bytes with name and attributes. */
const MOST_CHARACTERS = 3_800
/** Node takes 16 KiB of header fields, by default, and there are others. */
const MOST_PARTS = 3
/** Longer ones do not fit. */
export const MOST_TEXT = MOST_PARTS * MOST_CHARACTERS

/** The name of a part: `session`, `session.1`, `session.2`. */
const partName = (name: string, index: number): string => (index === 0 ? name : `${name}.${index}`)

/**
 * A text in as many cookies as it needs; those that it does not need are taken away where the browser has them.
 *
 * @param header Cookie of the request
 * @returns `undefined` where it is too long
 */
export function cookiesOf(
  text: string,
  { name, maxAgeS, header }: { name: string; maxAgeS: number; header: string | undefined },
): SetCookie[] | undefined {
  const parts = Math.ceil(text.length / MOST_CHARACTERS)
  if (parts > MOST_PARTS) return undefined
  const set = Array.from({ length: parts }, (_, index) => {
    const part = text.slice(index * MOST_CHARACTERS, (index + 1) * MOST_CHARACTERS)
    return { name: partName(name, index), value: index === 0 ? `${parts}~${part}` : part, maxAgeS }
  })
  return [...set, ...gone(name, header, parts)]
}

/** Takes a text's cookies away. @param from the first part that goes */
export function gone(name: string, header: string | undefined, from = 0): SetCookie[] {
  return Array.from({ length: MOST_PARTS - from }, (_, index) => partName(name, index + from))
    .filter((part) => cookieOf(header, part) !== undefined)
    .map((part) => ({ name: part, value: '', maxAgeS: 0 }))
}

/** The text that cookies have together. @returns `undefined` where the first is not there; empty, or cut, where others are missing */
export function textOf(header: string | undefined, name: string): string | undefined {
  const first = cookieOf(header, name)
  if (first === undefined) return undefined
  const parts = first.charCodeAt(1) === 0x7e ? Number(first[0]) : 0
  if (!(parts >= 1 && parts <= MOST_PARTS)) return ''
  let text = first.slice(2)
  for (let i = 1; i < parts; i++) text += cookieOf(header, partName(name, i)) ?? ''
  return text
}

/** As Set-Cookie has it (RFC 6265 §4.1). */
export function setCookieOf({ name, value, maxAgeS }: SetCookie): string {
  return `${name}=${value}; Max-Age=${maxAgeS}; Path=/; HttpOnly; Secure; SameSite=Lax`
}
