/** References in compiled code that tsc leaves as they are: paths in strings. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parse, type AnyNode } from 'acorn'

const RELATIVE_TYPESCRIPT = /^\.{1,2}\/.*(?<!\.d)\.ts$/

/**
 * Finds what would be missing at run time in a folder of compiled modules:
 *
 * - a string `'./entry.ts'` (a worker, say) without its sibling `'./entry.js'` in the same module, or with one that does
 *   not exist. `import.meta.url.endsWith('.ts') ? './entry.ts' : './entry.js'` works from source and compiled;
 * - `new URL('./file', import.meta.url)` whose file is not there, such as `./package.json`, which is not copied:
 *   `import.meta.resolve('headrace/package.json')` works in both;
 * - a package.json that tsc copied because a module imports it: it would hide the package's own.
 *
 * @returns one line for each, with the module; none when all is well
 */
export function danglingReferences(folder: string): string[] {
  const found = existsSync(join(folder, 'package.json')) ? ['package.json was compiled in: resolve it by name'] : []
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue
    const file = join(folder, name)
    found.push(...ofModule(file).map((complaint) => `${relative(folder, file)}: ${complaint}`))
  }
  return found
}

function ofModule(file: string): string[] {
  const tree = parse(readFileSync(file, 'utf8'), { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
  const strings = new Set<string>()
  const urls = new Set<string>()
  for (const node of nodes(tree)) {
    const text = textOf(node)
    if (text !== null) strings.add(text)
    const path = urlPath(node)
    if (path !== null && !RELATIVE_TYPESCRIPT.test(path)) urls.add(path)
  }
  const exists = (path: string): boolean => existsSync(join(dirname(file), path))
  const complaints = []
  for (const path of strings) {
    if (!RELATIVE_TYPESCRIPT.test(path)) continue
    const sibling = path.replace(/ts$/, 'js')
    if (!strings.has(sibling)) complaints.push(`'${path}' needs '${sibling}' beside it for the compiled package`)
    else if (!exists(sibling)) complaints.push(`'${sibling}' does not exist`)
  }
  for (const path of urls) if (!exists(path)) complaints.push(`'${path}' does not exist`)
  return complaints
}

/** Every node of a syntax tree. */
function* nodes(node: unknown): Generator<AnyNode> {
  if (Array.isArray(node)) for (const item of node) yield* nodes(item)
  if (typeof node !== 'object' || node === null || !('type' in node)) return
  yield node as AnyNode
  for (const child of Object.values(node)) if (typeof child === 'object') yield* nodes(child)
}

function textOf(node: AnyNode): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  return node.type === 'TemplateElement' ? (node.value.cooked ?? null) : null
}

/** The relative path of `new URL('…', import.meta.url)`. */
function urlPath(node: AnyNode): string | null {
  if (node.type !== 'NewExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'URL') return null
  const [path, base] = node.arguments
  if (path === undefined || base?.type !== 'MemberExpression' || base.object.type !== 'MetaProperty') return null
  const text = textOf(path)
  return text?.startsWith('.') ? text : null
}
