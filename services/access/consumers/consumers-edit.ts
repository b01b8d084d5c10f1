import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { isMap, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml'
import { ConsumersBusyError, ConsumersFileError } from '../errors.ts'
import { consumersOf } from './consumers-file.ts'

/** A key as it stands in the file. */
export interface WrittenKey {
  id: string
  hash: string
  created: string
  expires?: string
  note?: string
}

const ATTEMPTS = 80
const PAUSE_MS = 25

/**
 * Changes the consumers' file. Where others do so at the same time, one goes after the other: no change is lost.
 *
 * @param change once an attempt, each time of the file as it is then
 * @throws HR_ACCESS_CONSUMERS_FILE; HR_ACCESS_CONSUMERS_BUSY after two seconds
 */
export async function editConsumers<T>(file: string, change: (edit: ConsumersEdit) => T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const edit = new ConsumersEdit(file)
    const made = change(edit)
    if (!edit.isChanged) return made
    try {
      edit.save()
      return made
    } catch (error) {
      if (!(error instanceof ConsumersBusyError) || attempt === ATTEMPTS) throw error
    }
    await setTimeout(PAUSE_MS)
  }
}

/**
 * The consumers' file, to be changed by a program and read by people: comments, order and notation of all else stay as they
 * are. Nothing is on disk before {@link save}.
 */
export class ConsumersEdit {
  isChanged = false
  readonly #file: string
  /** As it was read. */
  readonly #before: string
  readonly #isJson: boolean
  readonly #document: Document

  /** Of a file that there is not yet, an empty one. @throws HR_ACCESS_CONSUMERS_FILE */
  constructor(file: string) {
    this.#file = file
    this.#isJson = file.endsWith('.json')
    try {
      this.#before = textOf(file)
    } catch (cause) {
      throw this.#failure(cause)
    }
    const text = this.#before === '' && this.#isJson ? '{}' : this.#before
    // What cannot be read as consumers is nothing that a program should write to.
    consumersOf(text, file)
    this.#document = parseDocument(text)
    if (this.#document.contents === null) this.#document.contents = this.#document.createNode({}) as never
    if (!isMap(this.#document.contents)) throw new ConsumersFileError(file, 'it has to be a map of consumers')
  }

  hasConsumer(name: string): boolean {
    return this.#document.has(name)
  }

  /** Of a consumer that there is not yet, too. */
  addKey(name: string, key: WrittenKey): void {
    this.isChanged = true
    const node = this.#document.createNode(key)
    if (!isMap(this.#document.get(name))) this.#document.set(name, this.#document.createNode({}))
    const keys = this.#document.getIn([name, 'keys'])
    if (isSeq(keys)) keys.add(node)
    else this.#document.setIn([name, 'keys'], this.#document.createNode([key]))
  }

  /** Keys of a consumer that are in force at a time have this end at the latest. @returns their ids */
  endKeys(name: string, { at, now }: { at: number; now: number }): string[] {
    const ended: string[] = []
    for (const key of this.#keysOf(name)) {
      const expires = key.get('expires')
      const endsAt = typeof expires === 'string' ? Date.parse(expires) : Infinity
      if (endsAt <= now || endsAt <= at) continue
      key.set('expires', timeOf(at))
      this.isChanged = true
      ended.push(String(key.get('id')))
    }
    return ended
  }

  /** @returns the consumer that had it; `undefined` where there is none */
  removeKey(id: string): string | undefined {
    const { contents } = this.#document
    for (const { key: name } of isMap(contents) ? contents.items : []) {
      const keys = this.#document.getIn([name, 'keys'])
      if (!isSeq(keys)) continue
      const index = keys.items.findIndex((item) => isMap(item) && item.get('id') === id)
      if (index === -1) continue
      keys.delete(index)
      this.isChanged = true
      return String(name)
    }
    return undefined
  }

  /**
   * In one piece, under another name first: who reads it meanwhile has the old one or the new one. Whoever has made a file of
   * that name is the one who writes.
   *
   * @throws HR_ACCESS_CONSUMERS_FILE, HR_ACCESS_CONSUMERS_BUSY: somebody else writes, or has written since it was read; the file
   * is as it was
   */
  save(): void {
    const text = this.#text()
    consumersOf(text, this.#file)
    // A link goes on leading to the same place.
    const target = existsSync(this.#file) ? realpathSync(this.#file) : this.#file
    const temporary = `${target}.new`
    try {
      closeSync(openSync(temporary, 'wx', 0o600))
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST'
      throw isTaken ? new ConsumersBusyError(this.#file, temporary) : this.#failure(cause)
    }
    try {
      if (textOf(target) !== this.#before) throw new ConsumersBusyError(this.#file, temporary)
      writeFileSync(temporary, text)
      if (existsSync(target)) makeAlike(temporary, target)
      renameSync(temporary, target)
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw cause instanceof ConsumersBusyError ? cause : this.#failure(cause)
    }
  }

  #failure(cause: unknown): Error {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it cannot be written'
    return new ConsumersFileError(this.#file, reason, { cause })
  }

  #text(): string {
    return this.#isJson
      ? `${JSON.stringify(this.#document.toJS(), null, 2)}\n`
      : this.#document.toString({ lineWidth: 0 })
  }

  #keysOf(name: string): YAMLMap[] {
    const keys = this.#document.getIn([name, 'keys'])
    return isSeq(keys) ? keys.items.filter((item) => isMap(item)) : []
  }
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Whoever could read the one can read the other: a gateway that is not who runs the command, too. */
function makeAlike(file: string, other: string): void {
  const { mode, uid, gid } = statSync(other)
  const own = statSync(file)
  try {
    if (own.uid !== uid || own.gid !== gid) chownSync(file, uid, gid)
  } catch (error) {
    // Only the superuser gives files away.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
  chmodSync(file, mode & 0o777)
}

/** Milliseconds since 1970 as the file has times. */
export function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
