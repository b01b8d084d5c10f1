/** What one proxy says of the request that it got (RFC 7239 §4), values without their quotes. */
export interface ForwardedElement {
  /** As it came. */
  text: string
  for: string | undefined
  host: string | undefined
  proto: string | undefined
}

/** No way to a gateway is longer; what stands to the left of so many is dropped. */
const MOST_ELEMENTS = 64

/** A pair and what ends it. RFC 7239 has no space around `;`; proxies write it. */
const PAIR = /[ \t]*([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(?:;[ \t]*|$)/y

/**
 * Reads Forwarded from its end, the nearest proxy first. What is malformed ends the reading: a client chooses how the
 * list begins, and an opened quote there must not swallow what trusted proxies have added behind it.
 */
export function readForwarded(value: string): ForwardedElement[] {
  const elements: ForwardedElement[] = []
  let end = value.length
  while (end >= 0 && elements.length < MOST_ELEMENTS) {
    const comma = commaBefore(value, end)
    if (comma === undefined) break
    const text = value.slice(comma + 1, end).trim()
    // RFC 9110 §5.6.1.2: a list may hold empty elements.
    if (text !== '') {
      const element = readElement(text)
      if (element === undefined) break
      elements.push(element)
    }
    end = comma
  }
  return elements
}

/** The last comma before `end` that stands outside of quotes; -1 without one, `undefined` where quotes are not paired. */
function commaBefore(value: string, end: number): number | undefined {
  let i = end - 1
  for (; i >= 0 && value[i] !== ','; i--) {
    if (value[i] !== '"') continue
    do i--
    while (i >= 0 && !(value[i] === '"' && !isEscaped(value, i)))
    if (i < 0) return undefined
  }
  return i
}

function isEscaped(value: string, index: number): boolean {
  let first = index
  while (first > 0 && value[first - 1] === '\\') first--
  return (index - first) % 2 === 1
}

function readElement(text: string): ForwardedElement | undefined {
  const values = new Map<string, string>()
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const pair = PAIR.exec(text)
    if (pair === null) return undefined
    const name = (pair[1] as string).toLowerCase()
    // §4: each parameter once; of two, readers could choose differently.
    if (values.has(name)) return undefined
    values.set(name, pair[2] ?? (pair[3] as string).replaceAll(/\\(.)/g, '$1'))
  }
  return { text, for: values.get('for'), host: values.get('host'), proto: values.get('proto') }
}
