import { InvalidCursor } from '../errors.ts'

/** A part of a list, and the cursor that the next part starts behind (`null` at the end). */
export interface Page<Row> {
  items: Row[]
  total: number
  after: string | null
}

export interface PageRequest {
  /** Most rows of the page. */
  limit: number
  /** Cursor of the page before. */
  after?: string | undefined
  /** A field, with `-` in front for descending order; rows with equal values follow by id. Default: by id. */
  sort?: string | undefined
}

type Value = string | number
type Row = { id: number }

/**
 * Keyset pagination: a cursor holds the sort value and the id of the last row seen, not a position. Rows that are added
 * or removed meanwhile neither repeat nor skip others.
 *
 * @throws InvalidCursor for a cursor of another order
 */
export function paginate<R extends Row>(rows: readonly R[], page: PageRequest): Page<R> {
  const descending = page.sort?.startsWith('-') === true
  const field = descending ? page.sort?.slice(1) : page.sort
  const valueOf = (row: R): Value => (field === undefined ? row.id : sortValue(row, field))
  const compare = (a: Value, aId: number, b: Value, bId: number): number => {
    const order = a < b ? -1 : a > b ? 1 : 0
    return (descending ? -order : order) || aId - bId
  }

  const sorted = field === undefined ? rows : rows.toSorted((a, b) => compare(valueOf(a), a.id, valueOf(b), b.id))
  let start = 0
  if (page.after !== undefined) {
    const [value, id] = decodeCursor(page.after, field)
    const index = sorted.findIndex((row) => compare(valueOf(row), row.id, value, id) > 0)
    start = index < 0 ? sorted.length : index
  }
  const items = sorted.slice(start, start + page.limit)
  const last = items.at(-1)
  const more = start + items.length < sorted.length
  return { items, total: sorted.length, after: more && last ? encodeCursor(valueOf(last), last.id, field) : null }
}

/**
 * The Link field of a page (RFC 8288). Its target is relative, so it stays right behind a gateway that mounts the API
 * below a prefix.
 *
 * @param query the query string of the request, without its question mark
 */
export function nextLink(query: string, after: string): string {
  const parameters = new URLSearchParams(query)
  parameters.set('after', after)
  return `<?${parameters.toString()}>; rel="next"`
}

function sortValue(row: Row, field: string): Value {
  const value: unknown = Reflect.get(row, field)
  return typeof value === 'number' ? value : String(value)
}

/** By id the cursor is the id; by another field it is opaque. */
function encodeCursor(value: Value, id: number, field: string | undefined): string {
  return field === undefined ? String(id) : Buffer.from(JSON.stringify([field, value, id])).toString('base64url')
}

function decodeCursor(cursor: string, field: string | undefined): [value: Value, id: number] {
  if (field === undefined) {
    if (!/^\d{1,15}$/.test(cursor)) throw new InvalidCursor(cursor)
    return [Number(cursor), Number(cursor)]
  }
  const parts = parseJson(Buffer.from(cursor, 'base64url').toString())
  if (!Array.isArray(parts) || parts.length !== 3 || parts[0] !== field) throw new InvalidCursor(cursor)
  const value: unknown = parts[1]
  const id: unknown = parts[2]
  if ((typeof value !== 'string' && typeof value !== 'number') || typeof id !== 'number')
    throw new InvalidCursor(cursor)
  return [value, id]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // what a client sends as a cursor may be anything; the caller refuses it
  }
}
