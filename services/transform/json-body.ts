import { type JsonFault, type JsonText, readJsonText } from '../http/json-text.ts'
import type { BodyChanges } from './options.ts'

type Value = unknown
type Members = Record<string, unknown>

/** What stands for what is masked. */
const MASK = '***'
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** A number of more digits than a double has: kept as it was written (ECMA-262, JSON.rawJSON). */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON: (this: void, text: string) => unknown
  isRawJSON: (this: void, value: unknown) => boolean
}

/** A JSON body that cannot be read. */
export class NoJson {
  readonly reason: JsonFault

  constructor(reason: JsonFault) {
    this.reason = reason
  }
}

/** Reads JSON in UTF-8. Numbers that a double cannot hold stay as they were written. */
export function readJson(body: Buffer): JsonText | NoJson {
  let text: string
  try {
    text = UTF8.decode(body)
  } catch {
    return new NoJson('is no JSON')
  }
  const read = readJsonText(text, keepNumber)
  return typeof read === 'string' ? new NoJson(read) : read
}

/** JSON in UTF-8. @throws TypeError for what is none: a function, what has itself within it */
export function writeJson(value: Value): Buffer {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError(`a ${typeof value} is no JSON`)
  return Buffer.from(text)
}

function keepNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  return String(value) === source ? value : rawJSON(source)
}

/** Changes to JSON bodies, compiled. All pointers are into a body as it came. */
export class CompiledBody {
  readonly #pick: Tree | null
  readonly #changes: Tree

  constructor({ pick, remove, mask, rename }: BodyChanges) {
    this.#pick = pick.length === 0 ? null : treeOf(pick.map((pointer) => [pointer, { kind: 'remove' }]))
    this.#changes = treeOf([
      ...rename.map(([pointer, to]) => [pointer, { kind: 'rename', to }] as const),
      ...mask.map((pointer) => [pointer, { kind: 'mask' }] as const),
      ...remove.map((pointer) => [pointer, { kind: 'remove' }] as const),
    ])
  }

  /** The value with what becomes of it; the one that was given is left as it is. */
  apply(value: Value): Value {
    return changed(this.#pick === null ? value : picked(value, this.#pick), this.#changes)
  }
}

type Change = { kind: 'remove' } | { kind: 'mask' } | { kind: 'rename'; to: string }

/** Pointers by their tokens. A member of a name goes by what is said of it, and by what is said of all. */
interface Tree {
  change: Change | null
  rename: string | null
  named: Map<string, Tree>
  each: Tree | null
}

function emptyTree(): Tree {
  return { change: null, rename: null, named: new Map(), each: null }
}

function treeOf(pointers: readonly (readonly [string, Change])[]): Tree {
  const root = emptyTree()
  for (const [pointer, change] of pointers) {
    let node = root
    for (const token of tokensOf(pointer)) {
      if (token === '*') node = node.each ??= emptyTree()
      else {
        let next = node.named.get(token)
        if (next === undefined) node.named.set(token, (next = emptyTree()))
        node = next
      }
    }
    if (change.kind === 'rename') node.rename = change.to
    else node.change = change
  }
  return root
}

/** RFC 6901 §4. */
export function tokensOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What is said of a member: by its name, by all, or by both. */
function below(tree: Tree, key: string): Tree | null {
  const named = tree.named.get(key) ?? null
  if (named === null || tree.each === null) return named ?? tree.each
  return merged(named, tree.each)
}

function merged(a: Tree, b: Tree): Tree {
  const named = new Map(a.named)
  for (const [key, tree] of b.named) {
    const own = named.get(key)
    named.set(key, own === undefined ? tree : merged(own, tree))
  }
  const each = a.each !== null && b.each !== null ? merged(a.each, b.each) : (a.each ?? b.each)
  // Of a name and all, what says more of it counts: nothing that one of them hides is shown.
  const changes = [a.change, b.change]
  const change = changes.find((one) => one?.kind === 'remove') ?? changes.find((one) => one !== null) ?? null
  return { change, rename: a.rename ?? b.rename, named, each }
}

function changed(value: Value, tree: Tree): Value {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const here = below(tree, String(index))
      if (here === null) return [item]
      if (here.change?.kind === 'remove') return []
      return [here.change?.kind === 'mask' ? MASK : changed(item, here)]
    })
  }
  if (!isMembers(value)) return value
  const members = new Map<string, Value>()
  const renamed = new Set<string>()
  for (const [key, member] of Object.entries(value)) {
    const here = below(tree, key)
    if (here?.change?.kind === 'remove') continue
    const next = here === null ? member : here.change?.kind === 'mask' ? MASK : changed(member, here)
    const to = here?.rename ?? null
    // What is renamed stands in place of who had the name, whichever came first.
    if (to === null && renamed.has(key)) continue
    if (to !== null) renamed.add(to)
    members.set(to ?? key, next)
  }
  // It defines properties: a member named __proto__ is one as any other.
  return Object.fromEntries(members)
}

/** What the pointers of a tree lead to, within what leads there. */
function picked(value: Value, tree: Tree): Value {
  if (tree.change !== null) return value
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const here = below(tree, String(index))
      return here === null ? [] : [picked(item, here)]
    })
  }
  // A pointer leads into it, and there is nothing to lead into.
  if (!isMembers(value)) return null
  const members: [string, Value][] = []
  for (const [key, member] of Object.entries(value)) {
    const here = below(tree, key)
    if (here !== null) members.push([key, picked(member, here)])
  }
  return Object.fromEntries(members)
}

function isMembers(value: Value): value is Members {
  return typeof value === 'object' && value !== null && !isRawJSON(value)
}
