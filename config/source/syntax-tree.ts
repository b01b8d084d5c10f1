import type { Path, Span } from '../problem.ts'

/** A node of an ESTree, as acorn makes them. */
export interface AstNode {
  type: string
  start: number
  end: number
  [property: string]: unknown
}

export interface PropertyNode {
  key: string | number
  keyNode: AstNode
  value: AstNode
}

/** What an identifier at the top of the module stands for. */
export type Bindings = ReadonlyMap<string, AstNode>

/** Longer chains of names are not followed: `const a = b; const b = a`. */
const MAX_STEPS = 16

export function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && 'type' in value
}

export function spanOfNode(node: AstNode): Span {
  return { start: node.start, length: node.end - node.start }
}

/** The properties of an object literal or the items of an array literal, as far as the text shows them. */
export function propertiesOf(node: AstNode, bindings: Bindings = new Map()): PropertyNode[] {
  if (node.type === 'ArrayExpression') {
    const items = node.elements as (AstNode | null)[]
    const spread = items.findIndex((item) => item?.type === 'SpreadElement')
    const shown = spread === -1 ? items : items.slice(0, spread)
    return shown.flatMap((item, key) => (item === null ? [] : [{ key, keyNode: item, value: item }]))
  }
  if (node.type !== 'ObjectExpression') return []
  return (node.properties as AstNode[]).flatMap((property): PropertyNode[] => {
    if (property.type === 'SpreadElement') {
      const spread = dereference(property.argument as AstNode, bindings)
      return spread === node ? [] : propertiesOf(spread, bindings)
    }
    const keyNode = property.key as AstNode
    const key = nameOf(keyNode, property.computed === true)
    return key === undefined ? [] : [{ key, keyNode, value: property.value as AstNode }]
  })
}

function nameOf(node: AstNode, isComputed: boolean): string | undefined {
  if (node.type === 'Literal') return String(node.value)
  return node.type === 'Identifier' && !isComputed ? String(node.name) : undefined
}

/** Follows names, and looks into `defineConfig(…)`, `Object.freeze(…)` and the like: calls of one object. */
export function dereference(node: AstNode, bindings: Bindings): AstNode {
  let current = node
  for (let step = 0; step < MAX_STEPS; step++) {
    const bound = current.type === 'Identifier' ? bindings.get(String(current.name)) : undefined
    const [argument] = current.type === 'CallExpression' ? (current.arguments as AstNode[]) : []
    const isWrapper = argument?.type === 'ObjectExpression' || argument?.type === 'Identifier'
    const next = bound ?? (isWrapper ? argument : undefined)
    if (next === undefined) return current
    current = next
  }
  return current
}

/** Where the name or the value of a path stands, from a literal on; `undefined` where the text does not show it. */
export function locateFrom(
  root: AstNode,
  path: Path,
  at: 'key' | 'value',
  bindings: Bindings = new Map(),
): Span | undefined {
  let node = root
  let key = root
  for (const part of path) {
    // The last of equal keys is the one that counts.
    const property = propertiesOf(dereference(node, bindings), bindings).findLast((item) => item.key === part)
    if (property === undefined) return undefined
    key = property.keyNode
    node = property.value
  }
  return spanOfNode(at === 'key' ? key : node)
}
