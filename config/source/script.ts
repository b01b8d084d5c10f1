import { basename } from 'node:path'
import { parse } from 'acorn'
import type { EvaluateConfigReply } from '../../workers/protocol.ts'
import type { Environment } from '../environment.ts'
import { evaluate, EVALUATION_TIMEOUT_MS } from '../evaluate.ts'
import type { Complaint, Span } from '../problem.ts'
import { type AstNode, type Bindings, dereference, isNode, locateFrom, spanOfNode } from './syntax-tree.ts'
import { broken, isUnset, type Source, unsetMessage } from './source.ts'

type Failure = Extract<EvaluateConfigReply, { outcome: 'failure' }>
type Value = Extract<EvaluateConfigReply, { outcome: 'value' }>

/** Evaluates a configuration in TypeScript or JavaScript; positions come from its text, as far as it is literal. */
export async function readScript(
  file: string,
  text: string,
  { environment, timeoutMs }: { environment: Environment; timeoutMs?: number | undefined },
): Promise<Source> {
  const evaluation = await evaluate(file, text, { variables: environment.variables, timeoutMs })
  if (evaluation.outcome === 'value') return sourceOf(evaluation, text)
  if (evaluation.outcome === 'failure') return broken(complaintOf(evaluation, file, text))
  const message =
    evaluation.outcome === 'timeout'
      ? `evaluating it took longer than ${(timeoutMs ?? EVALUATION_TIMEOUT_MS) / 1000} s: a configuration is data, it waits for nothing`
      : `evaluating it gave no configuration: ${evaluation.reason}`
  return broken({ code: 'HR_CONFIG_EVALUATION', message })
}

function complaintOf(failure: Failure, file: string, text: string): Omit<Complaint, 'path' | 'at'> {
  const { name, message, line, column } = failure
  const isSyntax = name === 'SyntaxError'
  const code = isSyntax ? 'HR_CONFIG_SYNTAX' : 'HR_CONFIG_EVALUATION'
  const words = (message.split('\n', 1)[0] ?? '').trim()
  const what = isSyntax ? words : `evaluating it failed: ${name === 'Error' ? '' : `${name}: `}${words}`
  if (line === null || failure.file === null) {
    if (!isSyntax) return { code, message: what, span: importIn(text, message) }
    // Of TypeScript, only the end of the text is told without a place.
    const end = { start: text.trimEnd().length, length: 1 }
    return { code, message: what, span: /\.m?ts$/.test(file) ? end : firstFault(text) }
  }
  if (failure.file !== file) return { code, message: `${what} (${failure.file}:${line})` }
  return { code, message: what, span: spanAt(text, line, column ?? 1) }
}

/** Node tells no position of a syntax error in JavaScript; acorn does. */
function firstFault(javascript: string): Span | undefined {
  try {
    parse(javascript, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
    return undefined
  } catch (error) {
    const start = error instanceof SyntaxError && 'pos' in error ? error.pos : undefined
    return typeof start === 'number' ? { start, length: 1 } : undefined
  }
}

/** Where a module that was not found is imported: by a path that ends so, or by that name. */
function importIn(text: string, message: string): Span | undefined {
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1]
  if (missing === undefined) return undefined
  for (const match of text.matchAll(/(?<=\b(?:from|import)\s*\(?\s*)(['"])([^'"\n]+)\1/g)) {
    const specifier = match[2] ?? ''
    const isMissing = specifier === missing || specifier.startsWith(`${missing}/`)
    if (isMissing || (specifier.startsWith('.') && missing.endsWith(basename(specifier)))) {
      return { start: match.index, length: match[0].length }
    }
  }
  return undefined
}

function spanAt(text: string, line: number, column: number): Span {
  const lines = text.split('\n')
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
  const rest = (lines[line - 1] ?? '').slice(column - 1)
  return { start: Math.min(before + column - 1, text.length), length: /^[\w$]+/.exec(rest)?.[0].length ?? 1 }
}

function sourceOf({ value, foreign, unset, javascript, modules }: Value, text: string): Source {
  const module = parseModule(javascript ?? text)
  const isUnsetHere = (part: unknown): boolean => isUnset(part) || (unset.length > 0 && Number.isNaN(part))
  if (value === undefined && foreign.length === 0) {
    return broken({
      code: 'HR_CONFIG_EVALUATION',
      message: "it has no default export: write 'export default defineConfig({ … })'",
    })
  }
  const complaints: Complaint[] = [
    ...foreign.map(({ path, kind }): Complaint => {
      const whole = path.length === 0 ? 'the default export' : `'${path.join('.')}'`
      const remedy = path.length === 0 && kind === 'a function' ? ': export what it returns' : ''
      const message = `${whole} is ${kind}; a configuration is plain data${remedy}`
      return { code: 'HR_CONFIG_NOT_DATA', message, path, at: 'value' }
    }),
    ...unset.map((name): Complaint => {
      const span = module && callOfEnv(module.tree, name)
      return { code: 'HR_CONFIG_ENV_UNSET', message: unsetMessage(name), path: [], at: 'value', span }
    }),
  ]
  return {
    value,
    complaints,
    locate: (path, at) => (module?.root ? locateFrom(module.root, path, at, module.bindings) : undefined),
    isUnset: isUnsetHere,
    modules,
  }
}

interface Module {
  tree: AstNode
  /** What is exported, as far as names lead to it. */
  root: AstNode | undefined
  bindings: Bindings
}

function parseModule(javascript: string): Module | undefined {
  let tree: AstNode
  try {
    tree = parse(javascript, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }) as unknown as AstNode
  } catch {
    // Node has run it: newer syntax than acorn knows, or CommonJS. Problems then name the file alone.
    return undefined
  }
  const bindings = new Map<string, AstNode>()
  let root: AstNode | undefined
  for (const statement of tree.body as AstNode[]) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (isNode(declaration) && declaration.type === 'VariableDeclaration') {
      for (const { id, init } of declaration.declarations as { id: AstNode; init: unknown }[]) {
        if (id.type === 'Identifier' && isNode(init)) bindings.set(String(id.name), init)
      }
    }
    if (statement.type === 'ExportDefaultDeclaration') root = statement.declaration as AstNode
    if (statement.type === 'ExpressionStatement') root ??= moduleExports(statement.expression as AstNode)
  }
  return { tree, root: root && dereference(root, bindings), bindings }
}

function moduleExports(expression: AstNode): AstNode | undefined {
  if (expression.type !== 'AssignmentExpression') return undefined
  const { object, property } = expression.left as { object?: { name?: unknown }; property?: { name?: unknown } }
  return object?.name === 'module' && property?.name === 'exports' ? (expression.right as AstNode) : undefined
}

/** The first `env('NAME')` in a module. */
function callOfEnv(tree: AstNode, name: string): Span | undefined {
  const open: unknown[] = [tree]
  while (open.length > 0) {
    const item = open.shift()
    if (Array.isArray(item)) open.unshift(...(item as unknown[]))
    else if (isNode(item)) {
      const [argument] = item.type === 'CallExpression' ? (item.arguments as AstNode[]) : []
      const callee = item.callee as { name?: unknown } | undefined
      if (argument?.value === name && callee?.name === 'env') return spanOfNode(item)
      open.unshift(...Object.values(item))
    }
  }
  return undefined
}
