import type { StatementSync } from 'node:sqlite'
import type { CacheDiskKey, CacheDiskPurge, CacheDiskWrite } from '../protocol.ts'
import type { Database } from './database.ts'
import { type Entries, type Judge, nameOf } from './entries.ts'

/** What was requested longer ago is not stored any more: purges are forgotten after this time. */
const KEEP_MS = 10 * 60_000
/** As well; of more, the oldest are forgotten, and what was requested before them is not stored either. */
const MAX_PURGES = 50_000
/** Rows that one slice drops, or looks at where it has to look at all. */
const DROP_ROWS = 500
const SCAN_ROWS = 2_000
/** A purge that is not finished after this time belongs to a process that is no more. */
const ORPHANED_MS = 30_000

/** Path and query of a URL, as the gateway's selectors take them: one without a scheme is all path. */
const pathOf = (url: string): string => {
  const rest = `substr(${url}, instr(${url}, '://') + 3)`
  return `iif(instr(${url}, '://') = 0, ${url}, iif(instr(${rest}, '/') = 0, '', substr(${rest}, instr(${rest}, '/'))))`
}

/**
 * What a purge covers. `name` is as {@link nameAndUrl} makes it, `tags` as JSON.
 *
 * Patterns are SQLite's: it gives up on a star as soon as a later one finds no place, so that several stars cost no more
 * than their number times the length.
 */
const COVERS = `(
  scope = 'key' and value = :name or scope = 'url' and value = :url or scope = 'glob' and :url glob value
  or scope = 'path' and ${pathOf(':url')} glob value or scope = 'tag' and value in (select value from json_each(:tags))
)`

/** A purge at work; its value as it stands in the table. */
interface Job extends Omit<CacheDiskPurge, 'id' | 'url'> {
  /** `null` where it was begun by a process that is no more. */
  id: number | null
  /** Rows up to here were there when it began. */
  upto: number
  /** Where the search through all rows goes on. */
  cursor: number
  count: number
}

/**
 * Purges, in the order of the database, for all processes. One is written down first, which takes effect: what is there is
 * judged at each read until it is dropped or marked, slice by slice; what is written later is judged then.
 */
export class Purges {
  readonly #entries: Entries
  readonly #record: StatementSync
  readonly #finish: StatementSync
  readonly #lastRow: StatementSync
  readonly #anyOpen: StatementSync
  readonly #coversRow: StatementSync
  readonly #coversWrite: StatementSync
  readonly #newest: StatementSync
  readonly #floor: StatementSync
  readonly #raiseFloor: StatementSync
  readonly #oldestKept: StatementSync
  readonly #forget: StatementSync
  readonly #orphans: StatementSync
  readonly #rows: Record<'key' | 'url' | 'tag', StatementSync>
  readonly #scans: Record<'glob' | 'path', StatementSync>
  #jobs: Job[] = []

  constructor({ reader, writer }: Database, entries: Entries) {
    this.#entries = entries
    this.#record = writer.prepare(
      `insert into purges (scope, value, mode, at, upto, open) values (?, ?, ?, ?, ?, 1)
       on conflict do update set at = max(at, excluded.at), upto = max(upto, excluded.upto), open = 1 returning upto`,
    )
    this.#finish = writer.prepare(
      'update purges set open = 0 where scope = ? and value = ? and mode = ? and at <= ? and upto <= ?',
    )
    this.#lastRow = writer.prepare('select ifnull(max(id), 0) as value from entries')
    this.#anyOpen = reader.prepare('select 1 from purges where open = 1 limit 1')
    this.#coversRow = reader.prepare(
      `select mode from purges where open = 1 and upto >= :id and ${COVERS} order by mode limit 1`,
    )
    this.#coversWrite = writer.prepare(
      `select mode from purges where at >= :requestedAt and ${COVERS} order by mode limit 1`,
    )
    this.#newest = writer.prepare('select max(at) as value from purges')
    this.#floor = writer.prepare('select floor as value from state')
    this.#raiseFloor = writer.prepare('update state set floor = max(floor, ?)')
    this.#oldestKept = writer.prepare('select at as value from purges order by at desc limit 1 offset ?')
    this.#forget = writer.prepare('delete from purges where open = 0 and at <= ?')
    this.#orphans = writer.prepare('select scope, value, mode, at, upto from purges where open = 1 and at < ?')
    // Those that a soft purge has marked are done with, too.
    const some = (where: string): StatementSync =>
      writer.prepare(`select id from entries where id <= :upto and soft <= :soft and ${where} limit ${DROP_ROWS}`)
    this.#rows = {
      key: some(`url = substr(:value, ${HEX_LENGTH + 1}) and name = unhex(substr(:value, 1, ${HEX_LENGTH}))`),
      url: some('url = :value'),
      tag: some('id in (select id from tags where tag = :value)'),
    }
    const scan = (text: string): StatementSync => {
      const covered = `select id, ${text} glob ? as covered from entries where id > ? and id <= ? order by id limit ${SCAN_ROWS}`
      const statement = writer.prepare(covered)
      statement.setReturnArrays(true)
      return statement
    }
    this.#scans = { glob: scan('url'), path: scan(pathOf('url')) }
  }

  get isAtWork(): boolean {
    return this.#jobs.length > 0
  }

  /** Whether somebody waits for what is at work. */
  get isAwaited(): boolean {
    return this.#jobs.some(({ id }) => id !== null)
  }

  /** Writes purges down; from the commit on they count. @returns those begun, to be given to {@link begin} then */
  record(purges: readonly CacheDiskPurge[]): Job[] {
    const last = valueOf(this.#lastRow)
    return purges.map((purge) => {
      const value = purge.scope === 'key' ? nameAndUrl({ key: purge.value, url: purge.url }) : purge.value
      // As far as it goes in the table: where the last rows were dropped since, their numbers are given again.
      const { upto } = this.#record.get(purge.scope, value, purge.mode, purge.at, last) as { upto: number }
      return { id: purge.id, scope: purge.scope, value, mode: purge.mode, at: purge.at, upto, cursor: 0, count: 0 }
    })
  }

  begin(jobs: readonly Job[]): void {
    this.#jobs.push(...jobs)
  }

  /**
   * Drops or marks some of what is purged, within a transaction.
   * @returns what to do once it is committed: it tells which purges are done
   */
  work(): () => { id: number; count: number }[] {
    const done: Job[] = []
    const counts = new Map<Job, { count: number; cursor: number }>()
    let left = DROP_ROWS
    for (const job of this.#jobs) {
      if (left <= 0) break
      const { scope } = job
      const scans = scope === 'glob' || scope === 'path'
      const { count, cursor, finished } = scans ? this.#scanSome(job, scope) : this.#dropSome(job, scope)
      counts.set(job, { count: job.count + count, cursor })
      left -= scans ? DROP_ROWS : Math.max(count, 1)
      if (!finished) break
      this.#finish.run(job.scope, job.value, job.mode, job.at, job.upto)
      done.push(job)
    }
    return () => {
      for (const [job, state] of counts) Object.assign(job, state)
      this.#jobs = this.#jobs.filter((job) => !done.includes(job))
      return done.flatMap(({ id, count }) => (id === null ? [] : [{ id, count }]))
    }
  }

  /**
   * Nobody waits any longer for what is at work: it counts, and is finished when that is possible.
   * @returns what was waited for, and how much of it is done
   */
  detach(): { id: number; count: number }[] {
    const waited = this.#jobs.flatMap(({ id, count }) => (id === null ? [] : [{ id, count }]))
    for (const job of this.#jobs) job.id = null
    return waited
  }

  /** For one reading transaction. */
  judge(): Judge {
    if (this.#anyOpen.get() === undefined) return NOTHING
    return ({ id, key, tags }) => {
      const named = { id, name: nameAndUrl(key), url: key.url, tags: tags ?? '[]' }
      return modeOf(this.#coversRow.get(named))
    }
  }

  /** For one writing transaction: what may be stored only as invalidated, and what not at all. */
  judgeWrites(now: number): (write: CacheDiskWrite) => 'hard' | 'soft' | undefined {
    const floor = Math.max(valueOf(this.#floor), now - KEEP_MS)
    const newest = valueOf(this.#newest)
    return ({ key, url, tags, requestedAt }) => {
      if (requestedAt <= floor) return 'hard'
      if (requestedAt > newest) return undefined
      return modeOf(
        this.#coversWrite.get({ requestedAt, name: nameAndUrl({ key, url }), url, tags: JSON.stringify(tags) }),
      )
    }
  }

  /** Forgets the oldest, and takes over what others have left. Within a transaction. */
  tidy(now: number): void {
    const surplus = this.#oldestKept.get(MAX_PURGES) as { value: number } | undefined
    if (surplus !== undefined) this.#raiseFloor.run(surplus.value)
    this.#forget.run(Math.max(now - KEEP_MS, surplus?.value ?? 0))
    if (this.isAtWork) return
    for (const row of this.#orphans.all(now - ORPHANED_MS)) {
      const { scope, value, mode, at, upto } = row as unknown as Job
      this.#jobs.push({ id: null, scope, value, mode, at, upto, cursor: 0, count: 0 })
    }
  }

  #dropSome(job: Job, scope: 'key' | 'url' | 'tag'): { count: number; cursor: number; finished: boolean } {
    const { value, mode, upto } = job
    const list = this.#rows[scope].all({ value, upto, soft: mode === 'hard' ? 1 : 0 }) as { id: number }[]
    for (const { id } of list) this.#apply(id, mode)
    return { count: list.length, cursor: 0, finished: list.length < DROP_ROWS }
  }

  #scanSome(
    { value, upto, cursor, mode }: Job,
    scope: 'glob' | 'path',
  ): { count: number; cursor: number; finished: boolean } {
    const list = this.#scans[scope].all(value, cursor, upto) as unknown as [number, number][]
    let count = 0
    for (const [id, covered] of list) {
      if (covered === 1 && this.#apply(id, mode)) count++
    }
    return { count, cursor: list.at(-1)?.[0] ?? cursor, finished: list.length < SCAN_ROWS }
  }

  #apply(id: number, mode: 'hard' | 'soft'): boolean {
    if (mode === 'soft') return this.#entries.soften(id)
    this.#entries.remove(id)
    return true
  }
}

const NOTHING: Judge = () => undefined

const HEX_LENGTH = 64

/** How the table names a key: by the URL alone rows are found, by the name they are told apart. */
function nameAndUrl({ key, url }: CacheDiskKey): string {
  return Buffer.from(nameOf(key)).toString('hex') + url
}

function modeOf(row: unknown): 'hard' | 'soft' | undefined {
  return (row as { mode: 'hard' | 'soft' } | undefined)?.mode
}

function valueOf(statement: StatementSync): number {
  return (statement.get() as { value: number | null } | undefined)?.value ?? 0
}
