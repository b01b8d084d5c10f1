import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin, stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'acorn'
import { test } from 'tap'

/** The rules of "Who may import what" in docs/architecture.md, read off every source file. */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LAYERS = [
  'app',
  'server',
  'cli',
  'plugins',
  'routes',
  'services',
  'workers',
  'config',
  'bench',
  'test',
  'examples',
  'scripts',
  'docs',
]
const TOP = ['app.ts', 'gateway.ts', 'server.ts', 'cli.ts', 'config.ts', 'index.ts']
/** The folders of app, server and the command line. */
const ABOVE = ['app', 'server', 'cli']

interface Node {
  type: string
  [key: string]: unknown
}

interface Import {
  /** As written. */
  specifier: string
  /** Path from the root for a relative one; else undefined. */
  file: string | undefined
  typesOnly: boolean
}

interface Source {
  file: string
  text: string
  tree: Node
  imports: Import[]
}

/** Every node of a syntax tree. */
function* nodes(node: unknown): Generator<Node> {
  if (Array.isArray(node)) for (const item of node) yield* nodes(item)
  if (typeof node !== 'object' || node === null || !('type' in node)) return
  yield node as Node
  for (const value of Object.values(node)) if (typeof value === 'object') yield* nodes(value)
}

const contains = (tree: Node, wanted: (node: Node) => boolean): boolean => {
  for (const node of nodes(tree)) if (wanted(node)) return true
  return false
}

/** `object.property`, where the node is such a member expression. */
const member = (node: Node | undefined): string => {
  const { object, property } = (node ?? {}) as { object?: { name?: unknown }; property?: { name?: unknown } }
  return node?.type === 'MemberExpression' ? `${String(object?.name)}.${String(property?.name)}` : ''
}

const TYPE_IMPORT =
  /(?:import|export)\s+type\s[^'"]*?\sfrom\s+['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)(?=[.\s)[])/g

function read(file: string): Source {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const tree = parse(stripTypeScriptTypes(text), { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
  const values = new Set<string>()
  for (const node of nodes(tree)) {
    const source = node.source as { value?: unknown } | null | undefined
    if (typeof source?.value === 'string') values.add(source.value)
  }
  const types = new Set<string>()
  for (const match of text.matchAll(TYPE_IMPORT)) types.add(match[1] ?? match[2] ?? '')
  const imports = [...values, ...types].map((specifier) => ({
    specifier,
    file: specifier.startsWith('.') ? posix.join(dirname(file), specifier) : undefined,
    typesOnly: !values.has(specifier),
  }))
  return { file, text, tree: tree as unknown as Node, imports }
}

function typescriptFiles(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => posix.join(entry.parentPath.slice(ROOT.length), entry.name))
}

const present = readdirSync(ROOT)
const sources = [
  ...LAYERS.filter((layer) => present.includes(layer)).flatMap((layer) => typescriptFiles(layer)),
  ...TOP.filter((file) => present.includes(file)),
].map((file) => read(file))

const under = (layer: string): Source[] => sources.filter(({ file }) => file.startsWith(`${layer}/`))
const inLayer = (item: Import, ...layers: string[]): boolean =>
  layers.some((layer) => item.file === layer || item.file?.startsWith(`${layer}/`) === true)
const isLibrary = (item: Import): boolean => item.file === undefined && !isBuiltin(item.specifier)
const isFastify = (item: Import): boolean =>
  /^(fastify|fastify-.*|@fastify\/.*)$/.test(item.specifier) && item.specifier !== '@fastify/error'
const isPlugin = (file: string): boolean => file.startsWith('plugins/')

/** One line a violation: the file, what it imports, and the rule. */
function violations(files: Source[], allowed: (item: Import, from: Source) => boolean, rule: string): string[] {
  return files.flatMap((source) =>
    source.imports
      .filter((item) => !allowed(item, source))
      .map((item) => `${source.file} imports ${item.specifier}: ${rule}`),
  )
}

void test('services know nothing of Fastify, plugins, routes or the configuration', async (t) => {
  const rule =
    'a service may import node:, libraries (of Fastify only @fastify/error), services and types of the workers'
  const allowed = (item: Import): boolean =>
    item.file === undefined
      ? !isFastify(item)
      : inLayer(item, 'services') || (item.typesOnly && item.file === 'workers/protocol.ts')
  t.same(violations(under('services'), allowed, rule), [])
})

void test('workers import nothing of the gateway but the types of their protocol', async (t) => {
  const rule = 'a worker may import node:, libraries, the folder of its own name and types from workers/protocol.ts'
  const allowed = (item: Import, { file }: Source): boolean => {
    if (item.file === undefined) return !isFastify(item)
    const [own] = file.slice('workers/'.length).split(/[./]/)
    return item.file.startsWith(`workers/${own}/`) || (item.typesOnly && item.file === 'workers/protocol.ts')
  }
  t.same(violations(under('workers'), allowed, rule), [])
})

void test('plugins import Fastify, libraries and services, never another plugin', async (t) => {
  const rule = "a plugin may import services; another plugin's decorator comes through `dependencies`"
  t.same(
    violations(under('plugins'), (item) => item.file === undefined || inLayer(item, 'services'), rule),
    [],
  )
})

void test('routes get behaviour from decorators: of services they see types only', async (t) => {
  const rule = 'a route may import Fastify, what schemas are made with, routes/ and *types* of services and plugins'
  const allowed = (item: Import, from: Source): boolean => {
    if (item.file === undefined) return isFastify(item) || item.typesOnly || isBuiltin(item.specifier)
    if (item.file === 'services/options/type.ts') return true
    if (item.file === 'routes/schemas.ts' || item.file.startsWith(`${dirname(from.file)}/`)) return true
    return item.typesOnly && inLayer(item, 'services', 'plugins')
  }
  t.same(violations(under('routes'), allowed, rule), [])
})

void test('TypeBox lends its types alone: loading it costs every process a fifth of its start', async (t) => {
  const shipped = sources.filter(({ file }) => !/^(test|bench|examples)\//.test(file))
  const rule = 'schemas are made with services/options/type.ts, and checked with services/options/settled.ts'
  t.same(
    violations(shipped, (item) => item.typesOnly || !/^typebox(\/|$)/.test(item.specifier), rule),
    [],
  )
})

void test('the configuration imports option schemas of services, and types', async (t) => {
  // What a route's key and rewrite mean, what is never stored, and what a file of consumers says, is said once, where it
  // counts; a check has to ask there.
  const meaning =
    /^services\/(routing\/(pattern|table)|proxy\/path-writer|transform\/(field-names|template)|access\/consumers\/consumers-file|cache\/rules\/status)\.ts$/
  const rule =
    'config may import itself, services/options/, services/*/options.ts, the meaning of routes and consumers; else types'
  const allowed = (item: Import): boolean => {
    if (item.file === undefined) return !isFastify(item)
    if (inLayer(item, 'config', 'services/options')) return true
    // Configuration files that are code are run in a thread: the messages between the two are types.
    if (item.file === 'workers/protocol.ts') return item.typesOnly
    return (
      inLayer(item, 'services') &&
      (item.typesOnly || item.file?.endsWith('/options.ts') === true || meaning.test(item.file ?? ''))
    )
  }
  const files = sources.filter(({ file }) => file.startsWith('config/') || file === 'config.ts')
  t.same(violations(files, allowed, rule), [])
})

void test('nothing below the top imports app, server or the command line', async (t) => {
  const rule = 'app ← server ← cli: only these, and tests, look upwards'
  const below = ['plugins', 'routes', 'services', 'workers', 'config'].flatMap((layer) => under(layer))
  t.same(
    violations(below, (item) => !inLayer(item, ...TOP.filter((file) => file !== 'config.ts'), ...ABOVE), rule),
    [],
  )
  const app = [...under('app'), ...sources.filter(({ file }) => file === 'app.ts' || file === 'gateway.ts')]
  t.same(
    violations(
      app,
      (item) => !inLayer(item, 'server', 'server.ts', 'cli', 'cli.ts', 'index.ts', 'bench', 'test'),
      rule,
    ),
    [],
  )
  t.same(
    violations(under('app'), (item) => !inLayer(item, 'app.ts', 'gateway.ts'), rule),
    [],
  )
  const server = [...under('server'), ...sources.filter(({ file }) => file === 'server.ts')]
  t.same(
    violations(server, (item) => !inLayer(item, 'cli', 'cli.ts', 'index.ts', 'bench', 'test'), rule),
    [],
  )
})

void test('the benchmark meets the gateway over HTTP or as the package; its micro benchmarks meet services', async (t) => {
  const rule = 'bench may import itself, bench/peers the package, and only bench/micro services'
  const allowed = (item: Import, from: Source): boolean =>
    item.file === undefined ||
    inLayer(item, 'bench') ||
    (from.file.startsWith('bench/peers/') && item.file === 'index.ts') ||
    (from.file.startsWith('bench/micro/') && inLayer(item, 'services'))
  t.same(violations(under('bench'), allowed, rule), [])
})

void test('shipped code imports declared dependencies only, and never the tests', async (t) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object }
  const shipped = sources.filter(({ file }) => !/^(test|bench|scripts|docs)\//.test(file))
  const declared = (item: Import): boolean => {
    const [scope = '', name] = item.specifier.split('/')
    return (scope.startsWith('@') ? `${scope}/${name}` : scope) in manifest.dependencies
  }
  // What an example runs before the gateway is for whoever has the repository.
  const isExample = (item: Import, from: Source): boolean =>
    from.file.startsWith('examples/') && item.specifier === 'oidc-provider'
  const allowed = (item: Import, from: Source): boolean =>
    isLibrary(item)
      ? declared(item) || item.specifier === 'headrace' || isExample(item, from)
      : !inLayer(item, 'test', 'bench')
  t.same(violations(shipped, allowed, 'declare it in package.json, dependencies'), [])
})

void test('only the configuration reads the environment', async (t) => {
  const free = /^(config\/|config\.ts|test\/|scripts\/)/
  const readers = sources
    .filter(({ file }) => !free.test(file))
    .filter(({ tree }) => contains(tree, (node) => member(node) === 'process.env'))
  t.same(
    readers.map(({ file }) => `${file} reads process.env: take it as an option`),
    [],
  )
})

void test('no module exports a bag of functions as its default, and services export names only', async (t) => {
  const byDefault = (node: Node): boolean => node.type === 'ExportDefaultDeclaration'
  const bags = sources.filter(({ tree }) =>
    contains(tree, (node) => byDefault(node) && (node.declaration as Node).type === 'ObjectExpression'),
  )
  t.same(
    bags.map(({ file }) => `${file}: export names`),
    [],
  )
  const defaults = sources.filter(
    ({ file, tree }) => /^(services|config|workers)\//.test(file) && contains(tree, byDefault),
  )
  t.same(
    defaults.map(({ file }) => `${file}: only plugins, routes and configuration files have a default export`),
    [],
  )
})

void test('no folder is named for what it is not', async (t) => {
  const odd = sources.filter(({ file }) => /(^|\/)(utils?|helpers?|common|managers?|interfaces|constants)\//.test(file))
  t.same(
    odd.map(({ file }) => file),
    [],
  )
})

void test('no test is left alone in the run', async (t) => {
  const lonely = under('test').filter(({ tree }) =>
    contains(tree, (node) => ['test.only', 't.only'].includes(member(node.callee as Node | undefined))),
  )
  t.same(
    lonely.map(({ file }) => `${file} uses .only`),
    [],
  )
})

void test('each plugin names itself, and what it depends on, to fastify-plugin', async (t) => {
  const nameless = under('plugins').filter(({ file, text }) => isPlugin(file) && !/\bfp\([^]*\bname:/.test(text))
  t.same(
    nameless.map(({ file }) => `${file}: export default fp(fn, { name, fastify: '5.x', dependencies })`),
    [],
  )
})
