import { pointerToken } from './json-pointer.ts'

/** What a text of JSON says. */
export interface JsonText {
  value: unknown
  /**
   * JSON Pointer (RFC 6901) to the first member whose name its object has before; `undefined`: none. Which of the two counts
   * is up to who reads it (RFC 8259 §4): here it is the last, an upstream may take the first. Names are compared without
   * their escapes.
   */
  duplicate: string | undefined
}

/** Why a text cannot be read. */
export type JsonFault = 'is no JSON' | 'is nested too deeply'

/** Lists and objects within each other: who goes through them by calling itself must come back. */
const MOST_DEPTH = 1_000

export type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown

/**
 * Reads JSON as RFC 8259 has it. Not by `JSON.parse` alone: what that makes of a name with escapes depends on what was
 * parsed before (https://github.com/nodejs/node/issues/63785), which others may have sent: after `{"ro\\u":1}` the name
 * `"ro\u006ce"` is read as `ro\u`.
 *
 * @param reviver as of `JSON.parse`, asked for numbers alone
 */
export function readJsonText(text: string, reviver?: Reviver): JsonText | JsonFault {
  let value: unknown
  try {
    value = JSON.parse(text, reviver as (key: string, value: unknown) => unknown)
  } catch (error) {
    // A reviver is called within each other, as deep as the text is.
    return error instanceof RangeError ? 'is nested too deeply' : 'is no JSON'
  }
  const read = membersRead(value, 0)
  if (read === TOO_DEEP) return 'is nested too deeply'
  // To count takes half as long as to parse, to look at each name far longer.
  return membersWritten(text) === read ? { value, duplicate: undefined } : readEachName(text, reviver)
}

const TOO_DEEP = -1
const ESCAPED = -2

/** Names that stand in a text; {@link ESCAPED}, where one has an escape. */
function membersWritten(text: string): number {
  // A branch here, for kept in a variable V8 looks through the whole text once a name.
  return text.includes('\\') ? countNames(text, true) : countNames(text, false)
}

/** The strings with a colon behind them. */
function countNames(text: string, hasEscapes: boolean): number {
  let count = 0
  for (let start = text.indexOf('"'); start !== -1; start = text.indexOf('"', start + 1)) {
    const end = endOfString(text, start + 1)
    let next = end + 1
    while (isBlank(text.charCodeAt(next))) next++
    if (text.charCodeAt(next) === COLON) {
      if (hasEscapes && text.slice(start, end).includes('\\')) return ESCAPED
      count++
    }
    start = end
  }
  return count
}

/** Members of all objects within a value, of which each has a name once; {@link TOO_DEEP}. */
function membersRead(value: unknown, depth: number): number {
  if (!isStructure(value)) return 0
  if (depth === MOST_DEPTH) return TOO_DEEP
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = isStructure(item) ? membersRead(item, depth + 1) : 0
      if (inner === TOO_DEEP) return TOO_DEEP
      count += inner
    }
    return count
  }
  // Parsed, it has none but its own: half the time of a list of its values.
  for (const name in value) {
    const inner = isStructure(value[name]) ? membersRead(value[name], depth + 1) : 0
    if (inner === TOO_DEEP) return TOO_DEEP
    count += inner + 1
  }
  return count
}

const { isRawJSON } = JSON as unknown as { isRawJSON: (this: void, value: unknown) => boolean }

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isRawJSON(value)
}

/** An object or a list that is not closed yet. */
class Open {
  readonly isObject: boolean
  readonly items: unknown[] = []
  readonly members = new Map<string, unknown>()
  /** Of the member that the reader is at. */
  name = ''
  /** The next string is a name. */
  isName: boolean

  constructor(isObject: boolean) {
    this.isObject = isObject
    this.isName = isObject
  }

  put(value: unknown): void {
    if (this.isObject) this.members.set(this.name, value)
    else this.items.push(value)
  }

  /** It defines properties: a member named __proto__ is one as any other. */
  get value(): unknown {
    return this.isObject ? Object.fromEntries(this.members) : this.items
  }

  /** Of what it is at. */
  get token(): string {
    return `/${this.isObject ? pointerToken(this.name) : this.items.length}`
  }
}

/** What stands between structural characters and strings: a number, `true`, `false` or `null`. */
const LITERAL = /[^\s,:[\]{}"]+/y

/** Reads a text that is JSON, one name and one value after another. */
function readEachName(text: string, reviver: Reviver | undefined): JsonText {
  const root = new Open(false)
  const open = [root]
  let inner = root
  let duplicate: string | undefined
  const parse = (from: number, to: number): unknown =>
    JSON.parse(text.slice(from, to), reviver as (key: string, value: unknown) => unknown)
  for (let i = 0; i < text.length; i++) {
    const start = i
    switch (text[i]) {
      case '{':
      case '[':
        open.push((inner = new Open(text[i] === '{')))
        break
      case '}':
      case ']': {
        const { value } = open.pop() as Open
        inner = open.at(-1) as Open
        inner.put(value)
        break
      }
      case ',':
        inner.isName = inner.isObject
        break
      case '"': {
        i = endOfString(text, start + 1)
        const string = parse(start, i + 1)
        if (!inner.isName) {
          inner.put(string)
          break
        }
        inner.isName = false
        inner.name = string as string
        if (inner.members.has(inner.name))
          duplicate ??= open
            .slice(1)
            .map(({ token }) => token)
            .join('')
        break
      }
      default:
        LITERAL.lastIndex = start
        if (!LITERAL.test(text)) break
        inner.put(parse(start, LITERAL.lastIndex))
        i = LITERAL.lastIndex - 1
    }
  }
  return { value: root.items[0], duplicate }
}

const COLON = 0x3a
const BACKSLASH = 0x5c

/** RFC 8259 §2. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** @returns where the quotation mark is that ends the string: one with an even number of backslashes before it */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); ; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
}
