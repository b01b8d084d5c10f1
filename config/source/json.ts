import { parseExpressionAt } from 'acorn'
import type { Environment } from '../environment.ts'
import type { Complaint, Path, Span } from '../problem.ts'
import { isRecord } from '../value.ts'
import { type AstNode, locateFrom, propertiesOf, spanOfNode } from './syntax-tree.ts'
import { broken, isUnset, mistakenReference, type Source, substitute, unsetMessage } from './source.ts'

/** Deeper than any configuration: what lies below is left as it is, and refused by the schema. */
const MAX_DEPTH = 32

/** Reads JSON. Text may hold `${NAME}` and `${NAME:-default}`. */
export function readJson(text: string, environment: Environment): Source {
  const json = text.replace(/^\uFEFF/, ' ')
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    return broken({ code: 'HR_CONFIG_SYNTAX', ...faultOf(error, json) })
  }
  const tree = parseTree(json)
  const complaints: Complaint[] = []
  const at = (path: Path): Span | undefined => (tree ? locateFrom(tree, path, 'value') : undefined)
  const put = (part: unknown, path: Path): unknown => {
    if (typeof part === 'string') {
      const mistaken = mistakenReference(part)
      if (mistaken !== undefined)
        complaints.push({ code: 'HR_CONFIG_VALUE', ...mistaken, path, at: 'value', span: at(path) })
      return substitute(part, environment, (name) => {
        complaints.push({ code: 'HR_CONFIG_ENV_UNSET', message: unsetMessage(name), path, at: 'value', span: at(path) })
      })
    }
    if (path.length >= MAX_DEPTH) return part
    if (Array.isArray(part)) return part.map((item: unknown, index) => put(item, [...path, index]))
    if (!isRecord(part)) return part
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, put(item, [...path, key])]))
  }
  if (tree) complaints.push(...repeated(tree, []))
  const locate = (path: Path, what: 'key' | 'value'): Span | undefined =>
    tree ? locateFrom(tree, path, what) : undefined
  return { value: put(value, []), complaints, locate, isUnset }
}

/** The same text as an expression of JavaScript, for its positions; `undefined` where it is nested too deeply for that. */
function parseTree(json: string): AstNode | undefined {
  try {
    return parseExpressionAt(json, 0, { ecmaVersion: 'latest' }) as unknown as AstNode
  } catch {
    // JSON.parse has accepted it; without positions the file alone is named.
    return undefined
  }
}

/** JSON.parse keeps the last of two equal keys, silently. */
function repeated(node: AstNode, path: Path): Complaint[] {
  if (path.length >= MAX_DEPTH) return []
  const seen = new Set<string>()
  return propertiesOf(node).flatMap(({ key, keyNode, value }) => {
    const inside = [...path, key]
    const nested = repeated(value, inside)
    if (typeof key === 'number' || !seen.has(key)) {
      if (typeof key === 'string') seen.add(key)
      return nested
    }
    const span = spanOfNode(keyNode)
    return [
      { code: 'HR_CONFIG_SYNTAX', message: `'${key}' is written twice`, path: inside, at: 'key', span },
      ...nested,
    ]
  })
}

function faultOf(error: unknown, json: string): { message: string; span: Span } {
  const message = error instanceof Error ? error.message : String(error)
  const position = /at position (\d+)/.exec(message)?.[1]
  const what = message.replace(/ in JSON at position.*| at position.*|, ?"[^]*" is not valid JSON.*|, ?\.\.\.[^]*/, '')
  const start = position === undefined ? firstFault(json) : Number(position)
  const words = slipAt(json, start) ?? `${what.charAt(0).toLowerCase()}${what.slice(1)}`
  return { message: words, span: { start, length: 1 } }
}

/** What JavaScript and YAML allow, and JSON does not. */
function slipAt(json: string, start: number): string | undefined {
  const rest = json.slice(start)
  if (/^\/[/*]/.test(rest)) return 'JSON has no comments: remove it, or write YAML'
  if (/^[}\]]/.test(rest) && json.slice(0, start).trimEnd().endsWith(','))
    return `there is a comma too many before '${rest[0]}'`
  if (rest.startsWith("'")) return 'JSON quotes text with ", and not with \''
  if (/^[A-Za-z_$][\w$]*\s*:/.test(rest)) return 'JSON quotes the names of properties: "name"'
  return undefined
}

/** Where V8 does not say: the shortest part that cannot be continued ends at the fault; the end of the text otherwise. */
function firstFault(json: string): number {
  let comment: number | undefined
  try {
    parseExpressionAt(json, 0, { ecmaVersion: 'latest', onComment: (_block, _text, start) => (comment ??= start) })
  } catch (error) {
    if (error instanceof SyntaxError && 'pos' in error && typeof error.pos === 'number') return comment ?? error.pos
  }
  return comment ?? json.trimEnd().length
}
