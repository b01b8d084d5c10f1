import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, parseDocument, Scalar, visit } from 'yaml'
import type { Environment } from '../environment.ts'
import type { Complaint, Path, Span } from '../problem.ts'
import { broken, isUnset, mistakenReference, type Source, substitute, unsetMessage } from './source.ts'

/** Reads YAML 1.2. Variables are put in before plain text gets its type: `port: ${PORT:-8080}` is a number. */
export function readYaml(text: string, environment: Environment): Source {
  let document: Document.Parsed
  const complaints: Complaint[] = []
  let value: unknown
  try {
    document = parseDocument(text, { prettyErrors: false })
    // The first alone: what follows a syntax error follows from it.
    const [fault] = [...document.errors, ...document.warnings]
    if (fault)
      return broken(syntaxFault(text, fault.message, { start: fault.pos[0], length: fault.pos[1] - fault.pos[0] }))
    putVariables(document, environment, complaints)
    value = document.toJS() ?? {}
  } catch (error) {
    // Nested too deeply for the parser, an alias of nothing, or so many aliases that they are an attack.
    const message = error instanceof Error ? error.message : String(error)
    const alias = /^Unresolved alias.*: (\S+)$/.exec(message)?.[1]
    if (alias === undefined) return broken({ code: 'HR_CONFIG_SYNTAX', message })
    const span = { start: Math.max(0, text.indexOf(`*${alias}`)), length: alias.length + 1 }
    return broken({ code: 'HR_CONFIG_SYNTAX', message: `there is no anchor &${alias} before '*${alias}'`, span })
  }
  return { value, complaints, locate: (path, at) => locate(document, path, at), isUnset }
}

function syntaxFault(text: string, message: string, span: Span): Omit<Complaint, 'path' | 'at'> {
  const line = text.slice(text.lastIndexOf('\n', span.start - 1) + 1).split('\n', 1)[0] ?? ''
  const isFlow = /[[{,]\s*(?:[\w-]+:\s*)?\$\{/.test(line)
  const hint = isFlow ? "; quote '${…}' inside of [ ] and { }" : ''
  const twice = message.startsWith('Map keys must be unique') ? keyAt(text, span.start) : undefined
  if (twice !== undefined) {
    const whole = { start: span.start, length: twice.length }
    return { code: 'HR_CONFIG_SYNTAX', message: `'${twice}' is written twice`, span: whole }
  }
  const starred = /^(\s*)(\*[^\s:]*):/.exec(line)
  if (starred) {
    const start = text.lastIndexOf('\n', span.start - 1) + 1 + (starred[1]?.length ?? 0)
    const words = `a key that begins with * is written in quotes: '${starred[2]}'`
    return { code: 'HR_CONFIG_SYNTAX', message: words, span: { start, length: starred[2]?.length ?? 1 } }
  }
  return { code: 'HR_CONFIG_SYNTAX', message: `${inOurWords(message)}${hint}`, span }
}

function keyAt(text: string, start: number): string | undefined {
  return /^[^\s:,{}]+/.exec(text.slice(start, start + 200))?.[0]
}

/** The parser speaks to programmers who use it. */
function inOurWords(message: string): string {
  if (message.startsWith('Tabs are not allowed')) return 'YAML is indented with spaces: replace the tab'
  if (message.startsWith('Source contains multiple documents'))
    return "the file holds several documents ('---'): keep one"
  return message.replace(/\.?$/, '')
}

function putVariables(document: Document.Parsed, environment: Environment, complaints: Complaint[]): void {
  visit(document, {
    Scalar(position, node) {
      if (typeof node.value !== 'string' || !node.value.includes('$')) return
      const mistaken = mistakenReference(node.value)
      if (mistaken !== undefined)
        complaints.push({ code: 'HR_CONFIG_VALUE', ...mistaken, path: [], at: 'value', span: spanOf(node) })
      const text = substitute(node.value, environment, (name) => {
        const span = spanOf(node)
        complaints.push({ code: 'HR_CONFIG_ENV_UNSET', message: unsetMessage(name), path: [], at: 'value', span })
      })
      const isTyped = node.type === Scalar.PLAIN && position !== 'key'
      node.value = isTyped && text !== node.value ? typedScalar(document, text) : text
    },
  })
}

/** What plain text means in YAML: a number, a boolean, null or itself; never a structure, whatever a variable holds. */
function typedScalar(document: Document.Parsed, text: string): unknown {
  for (const tag of document.schema.tags) {
    if (tag.collection !== undefined || tag.default !== true || tag.test?.test(text) !== true) continue
    const resolved = tag.resolve?.(text, () => {}, document.options)
    return isScalar(resolved) ? resolved.value : resolved
  }
  return text
}

function locate(document: Document.Parsed, path: Path, at: 'key' | 'value'): Span | undefined {
  let node: unknown = document.contents
  let key: unknown
  for (const part of path) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node
    if (isMap(container)) {
      const pair = container.items.find((item) => isPair(item) && isScalar(item.key) && nameOf(item.key.value) === part)
      if (pair === undefined) return undefined
      key = pair.key
      node = pair.value
    } else if (isSeq(container) && typeof part === 'number') {
      node = container.items[part]
      key = node
    } else {
      return undefined
    }
  }
  return spanOf(at === 'key' ? key : node) ?? spanOf(key)
}

function spanOf(node: unknown): Span | undefined {
  const range = (node as Node | null | undefined)?.range
  return range ? { start: range[0], length: range[1] - range[0] } : undefined
}

/** A key as the data has it: `1:` and `null:` are text too. */
function nameOf(key: unknown): string {
  return typeof key === 'string' ? key : key === null ? '' : JSON.stringify(key)
}
