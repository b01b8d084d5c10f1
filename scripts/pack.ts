/**
 * What `npm pack` and `npm publish` run around the packing. `prepare` compiles into dist/ and makes package.json the
 * published one, `restore` brings the original back. A run that was interrupted in between is healed by the next.
 *
 * Node strips no types below node_modules, so what is published must be JavaScript; and the Node pins of this
 * repository would replace the host application's Node, so they stay here.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { danglingReferences } from './pack-references.ts'

/** The least Node that the compiled package runs on. */
const LEAST_NODE = 24
const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const MANIFEST = join(ROOT, 'package.json')
/** The original package.json while the published one is in its place. */
const ORIGINAL = join(ROOT, 'package.source.json')
const ASSET_FOLDERS = ['config', 'plugins', 'routes', 'server', 'services', 'workers']
const NODE_PIN = /^node-(bin-)?(aix|darwin|linux|win)-/

interface Manifest {
  exports: Record<string, string>
  bin: Record<string, string>
  optionalDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  scripts?: Record<string, string>
  allowScripts?: Record<string, boolean>
  [field: string]: unknown
}

/** Starts the command line, or says which Node it needs: old syntax, so that an old Node gets as far as this. */
const launcher = `#!/usr/bin/env node
var major = Number(process.versions.node.split('.')[0])
if (major < ${LEAST_NODE}) {
  console.error('headrace needs Node ${LEAST_NODE} or newer; this is Node ' + process.versions.node + ' (' + process.execPath + ')')
  process.exitCode = 1
} else {
  import('./cli.js')
}
`

const compiled = (source: string): string => source.replace(/^\.\//, './dist/').replace(/\.ts$/, '.js')

/** The manifest as it is published: compiled entry points, no tools, no pins. */
function published(source: Manifest): Manifest {
  const { scripts: _scripts, devDependencies: _tools, allowScripts: _allowed, optionalDependencies, ...kept } = source
  const optional = Object.entries(optionalDependencies ?? {}).filter(([name]) => !NODE_PIN.test(name))
  const entry = (path: string): unknown =>
    path.endsWith('.ts') ? { types: compiled(path).replace(/\.js$/, '.d.ts'), default: compiled(path) } : path
  return {
    ...kept,
    engines: { node: `>=${LEAST_NODE}` },
    bin: Object.fromEntries(Object.keys(source.bin).map((name) => [name, `./dist/${name}.js`])),
    exports: Object.fromEntries(Object.entries(source.exports).map(([key, path]) => [key, entry(path)])) as never,
    // The README leads to the pages; what generates them stays here.
    files: ['dist', 'docs/*.md'],
    ...(optional.length > 0 ? { optionalDependencies: Object.fromEntries(optional) } : {}),
  }
}

function compile(): void {
  const require = createRequire(import.meta.url)
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The package does not compile')
}

/** SQL, HTML and the like lie beside the code that serves them, and are found by the same relative path. */
function copyAssets(): void {
  for (const folder of ASSET_FOLDERS.filter((name) => existsSync(join(ROOT, name)))) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith('.ts') || entry.name.startsWith('.')) continue
      const from = join(entry.parentPath, entry.name)
      const to = join(DIST, from.slice(ROOT.length))
      mkdirSync(dirname(to), { recursive: true })
      cpSync(from, to)
    }
  }
}

/** In one step, so that an interruption leaves the old or the new file, never half of one. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}

function readManifest(): { text: string; manifest: Manifest } {
  const text = readFileSync(MANIFEST, 'utf8')
  return { text, manifest: JSON.parse(text) as Manifest }
}

/** Brings the original package.json back; without one, nothing happens. */
function restore(): void {
  if (!existsSync(ORIGINAL)) return
  // With scripts in it, package.json is the source already (a checkout, say): the copy is a leftover.
  if (readManifest().manifest.scripts) rmSync(ORIGINAL)
  else renameSync(ORIGINAL, MANIFEST)
}

function prepare(): void {
  restore()
  rmSync(DIST, { recursive: true, force: true })
  compile()
  copyAssets()
  const { text, manifest } = readManifest()
  for (const name of Object.keys(manifest.bin)) writeFileSync(join(DIST, `${name}.js`), launcher, { mode: 0o755 })
  const dangling = danglingReferences(DIST)
  if (dangling.length > 0) throw new Error(`The package would not work:\n  ${dangling.join('\n  ')}`)
  // Last, so that whatever fails above leaves package.json alone.
  replace(ORIGINAL, text)
  replace(MANIFEST, `${JSON.stringify(published(manifest), null, 2)}\n`)
}

const step = process.argv[2]
if (step !== 'prepare' && step !== 'restore') {
  console.error('Usage: node scripts/pack.ts prepare|restore')
  process.exit(2)
}
try {
  if (step === 'prepare') prepare()
  else restore()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
