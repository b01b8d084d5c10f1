import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { isMap, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml'
import { ConsumersFileError } from '../errors.ts'
import { consumersOf } from './consumers-file.ts'

/** A key as it stands in the file. */
export interface WrittenKey {
  id: string
  hash: string
  created: string
  expires?: string
  note?: string
}

/**
 * The consumers' file, to be changed by a program and read by people: comments, order and notation of all else stay as they
 * are. Nothing is on disk before {@link save}.
 */
export class ConsumersEdit {
  readonly #file: string
  readonly #isJson: boolean
  readonly #document: Document

  /** Of a file that there is not yet, an empty one. @throws HR_ACCESS_CONSUMERS_FILE */
  constructor(file: string) {
    this.#file = file
    this.#isJson = file.endsWith('.json')
    const text = existsSync(file) ? readFileSync(file, 'utf8') : this.#isJson ? '{}' : ''
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
      return String(name)
    }
    return undefined
  }

  /**
   * In one piece, under another name first: who reads it meanwhile has the old one or the new one.
   *
   * @throws HR_ACCESS_CONSUMERS_FILE; the file is as it was
   */
  save(): void {
    const text = this.#text()
    consumersOf(text, this.#file)
    try {
      // A link goes on leading to the same place.
      const target = existsSync(this.#file) ? realpathSync(this.#file) : this.#file
      const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o600
      const temporary = `${target}.${process.pid}`
      writeFileSync(temporary, text, { mode })
      renameSync(temporary, target)
    } catch (cause) {
      throw new ConsumersFileError(this.#file, (cause as NodeJS.ErrnoException).code ?? 'it cannot be written', {
        cause,
      })
    }
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

/** Milliseconds since 1970 as the file has times. */
export function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
