import { chmodSync, closeSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { CacheDiskOptions } from '../protocol.ts'
import { describe, isCorrupt } from './errors.ts'

/** "HRcd": the file is one of ours. */
const APPLICATION_ID = 0x48526364
const PAGE_BYTES = 8_192
/**
 * Pages in the journal before they are moved into the file, which blocks the thread while it lasts: with 1,000 (the usual)
 * it took 20 ms at the 99th percentile, with 256 8 ms, with 64 5 ms and a third of the writes.
 */
const CHECKPOINT_PAGES = 256
const JOURNAL_BYTES = 8 * 1024 * 1024
const CACHE_KIB = 4_096
/** A writer tries again later by itself: while it waited here, nobody could read. */
const WRITER_WAIT_MS = 2
/** Readers have to wait only while a journal is recovered after a crash. */
const READER_WAIT_MS = 20
const SIDE_FILES = ['-wal', '-shm', '-journal']

/**
 * `entries` is small, to be gone through without reading bodies. Rows are in the order in which they came, and `hand` is
 * where the search for something to evict goes on (SIEVE).
 */
const TABLES = `
  create table entries (
    id integer primary key,
    url text not null,
    name blob not null,
    variant blob not null,
    requested_at real not null,
    usable_until real not null,
    used integer not null,
    soft integer not null,
    tags text
  ) strict;
  create unique index entries_name on entries (url, name, variant);
  create table bodies (id integer primary key, value blob not null) strict;
  create table tags (tag text not null, id integer not null, primary key (tag, id)) strict, without rowid;
  create table purges (
    scope text not null,
    value text not null,
    mode text not null,
    at real not null,
    upto integer not null,
    open integer not null,
    primary key (scope, value, mode)
  ) strict, without rowid;
  create index purges_at on purges (at);
  create index purges_open on purges (open) where open = 1;
  create table state (
    entries integer not null,
    hand integer not null,
    swept integer not null,
    floor real not null
  ) strict;
  insert into state values (0, 0, 0, 0);
`

/** Two connections to one file, so that a write that is under way does not hide what was there before from readers. */
export interface Database {
  reader: DatabaseSync
  writer: DatabaseSync
  file: string
  /** Whether the path still leads to the file that is open. */
  isInPlace(): boolean
  /** Gives the file another name, where it is still in place. @returns that name */
  putAside(): string | null
  /** Removes the file, where it is still in place: others find that out, and make a new one. */
  remove(): void
  close(): void
}

export interface Opened {
  database: Database
  setAside: { reason: string; file: string } | null
}

/**
 * Opens the database, or makes it. What is there and is not a good one is set aside under another name.
 * @throws the system's or SQLite's error
 */
export function openDatabase(options: CacheDiskOptions): Opened {
  const inode = inodeOf(options.file)
  try {
    return { database: open(options), setAside: null }
  } catch (error) {
    if (!isCorrupt(error) && !(error instanceof ForeignFileError)) throw error
    const file = putAside(options.file, inode)
    return { database: open(options), setAside: file === null ? null : { reason: describe(error), file } }
  }
}

/**
 * Gives a file that is no good another name.
 * @param inode of the file that is meant: another process may have put it aside already, and made a new one
 * @returns where it is now; `null` where it was not there any more
 */
function putAside(file: string, inode: number | undefined): string | null {
  if (inode === undefined || inodeOf(file) !== inode) return null
  const aside = `${file}.broken`
  removeSideFiles(file)
  // One is kept, for who wants to know; more would fill the disk.
  renameSync(file, aside)
  return aside
}

/** First, so that none of a new file goes. */
function removeSideFiles(file: string): void {
  for (const side of SIDE_FILES) rmSync(`${file}${side}`, { force: true })
}

class ForeignFileError extends Error {}

function open(options: CacheDiskOptions): Database {
  const { file } = options
  make(file)
  const opened: DatabaseSync[] = []
  const connect = (timeout: number): DatabaseSync => {
    const connection = new DatabaseSync(file, { timeout })
    opened.push(connection)
    return connection
  }
  try {
    // Setting up waits for other processes that do the same.
    const writer = connect(1_000)
    setUp(writer, options)
    writer.exec(`pragma busy_timeout = ${WRITER_WAIT_MS}`)
    const reader = connect(READER_WAIT_MS)
    reader.exec(`pragma query_only = 1; pragma cache_size = ${-CACHE_KIB}`)
    const inode = inodeOf(file)
    return {
      reader,
      writer,
      file,
      isInPlace: () => inodeOf(file) === inode,
      putAside: () => putAside(file, inode),
      remove: () => {
        if (inodeOf(file) !== inode) return
        removeSideFiles(file)
        rmSync(file)
      },
      close: () => opened.forEach((connection) => connection.close()),
    }
  } catch (error) {
    for (const connection of opened) connection.close()
    throw error
  }
}

/**
 * Makes an empty file that only its owner reads; SQLite gives the side files the same mode. Under another name first: to
 * close a file that another thread of this process has open would take SQLite's locks on it away (POSIX), and whoever
 * finds it finds it finished.
 */
function make(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) {
    chmodSync(file, 0o600)
    return
  }
  const draft = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function setUp(writer: DatabaseSync, { maxBytes, version }: CacheDiskOptions): void {
  // The first two count in an empty file only.
  writer.exec(`
    pragma page_size = ${PAGE_BYTES};
    pragma auto_vacuum = incremental;
    pragma journal_mode = wal;
    pragma synchronous = normal;
    pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
    pragma journal_size_limit = ${JOURNAL_BYTES};
    pragma cache_size = ${-CACHE_KIB};
    begin immediate;
  `)
  try {
    const pages = pragma(writer, 'page_count')
    if (pages <= 1 && isEmpty(writer)) {
      writer.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${version}; ${TABLES}`)
    } else if (pragma(writer, 'application_id') !== APPLICATION_ID) {
      throw new ForeignFileError('it is a database of another program')
    } else if (pragma(writer, 'user_version') !== version) {
      throw new ForeignFileError(`its tables have version ${pragma(writer, 'user_version')}, not ${version}`)
    }
    writer.exec('commit')
  } catch (error) {
    if (writer.isTransaction) writer.exec('rollback')
    throw error
  }
  // Beyond what is aimed for, as room to evict in.
  writer.exec(`pragma max_page_count = ${Math.ceil(maxBytes / pragma(writer, 'page_size'))}`)
}

function isEmpty(connection: DatabaseSync): boolean {
  return connection.prepare('select 1 from sqlite_schema limit 1').get() === undefined
}

/** A setting or count that is a number. */
export function pragma(connection: DatabaseSync, name: string): number {
  return Number(Object.values(connection.prepare(`pragma ${name}`).get() ?? {})[0])
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}
