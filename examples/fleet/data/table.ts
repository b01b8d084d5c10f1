import { RowNotFound, TableFull } from '../errors.ts'

/** What every row has. Timestamps are RFC 3339. */
export interface Entity {
  id: number
  createdAt: string
  updatedAt: string
}

/** The part of a row that its writer gives. */
export type Fields<Row extends Entity> = Omit<Row, keyof Entity>

export interface TableOptions {
  /** Most rows kept. */
  capacity: number
  /** When full: refuse an insert (the default), or let the oldest row go. */
  whenFull?: 'refuse' | 'evict'
}

/**
 * Rows in memory, in the order of their ids. A row is replaced on update, never changed in place: whoever holds one may
 * keep it. Ids are never used twice.
 */
export class Table<Row extends Entity> {
  readonly name: string
  readonly #rows = new Map<number, Row>()
  readonly #capacity: number
  readonly #evict: boolean
  #lastId = 0
  #modifiedAt = 0

  constructor(name: string, rows: readonly Row[], options: TableOptions) {
    this.name = name
    this.#capacity = options.capacity
    this.#evict = options.whenFull === 'evict'
    for (const row of rows) {
      this.#rows.set(row.id, row)
      this.#lastId = Math.max(this.#lastId, row.id)
      this.#modifiedAt = Math.max(this.#modifiedAt, Date.parse(row.updatedAt))
    }
  }

  get size(): number {
    return this.#rows.size
  }

  /** When a row was last written or removed, in ms since 1970. */
  get modifiedAt(): number {
    return this.#modifiedAt
  }

  rows(): Row[] {
    return [...this.#rows.values()]
  }

  has(id: number): boolean {
    return this.#rows.has(id)
  }

  /** @throws RowNotFound */
  get(id: number): Row {
    const row = this.#rows.get(id)
    if (!row) throw new RowNotFound(this.name, id)
    return row
  }

  /** @throws TableFull unless the table evicts */
  insert(fields: Fields<Row>, atMs: number): Row {
    if (this.#rows.size >= this.#capacity) this.#makeRoom()
    const at = new Date(atMs).toISOString()
    const row = { id: ++this.#lastId, ...fields, createdAt: at, updatedAt: at } as Row
    this.#rows.set(row.id, row)
    this.#modifiedAt = Math.max(this.#modifiedAt, atMs)
    return row
  }

  /** @throws RowNotFound */
  update(id: number, changes: Partial<Fields<Row>>, atMs: number): Row {
    const row = { ...this.get(id), ...changes, id, updatedAt: new Date(atMs).toISOString() }
    this.#rows.set(id, row)
    this.#modifiedAt = Math.max(this.#modifiedAt, atMs)
    return row
  }

  /** @throws RowNotFound */
  remove(id: number, atMs: number): void {
    this.get(id)
    this.#rows.delete(id)
    this.#modifiedAt = Math.max(this.#modifiedAt, atMs)
  }

  #makeRoom(): void {
    if (!this.#evict) throw new TableFull(this.name, this.#capacity)
    const oldest = this.#rows.keys().next()
    if (!oldest.done) this.#rows.delete(oldest.value)
  }
}
