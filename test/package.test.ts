import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'

/** The package as `npm pack` makes it, in use. It is packed from a copy: other tests read this tree meanwhile. */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
/** Neither code nor configuration of the package. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', '.tap', '.headrace', 'test', 'bench'])
/** Where a system keeps the Node that is not ours. */
const SYSTEM_NODES = ['/usr/bin/node', '/usr/local/bin/node', '/opt/homebrew/bin/node']

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** What npm's own run sets must not reach an npm, or a gateway, that is started here. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|HEADRACE_|TAP|NODE_COMPILE_CACHE$)/.test(name)),
)

function run(cwd: string, file: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env: environment, timeout: 100_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr: code === -1 ? `${error?.message}\n${stderr}` : stderr })
    })
  })
}

async function temporary(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-package-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function copyTree(t: Test): Promise<string> {
  const tree = await temporary(t)
  const filter = (source: string): boolean => !LEFT_OUT.has(relative(ROOT, source))
  await cp(ROOT, tree, { recursive: true, filter })
  await symlink(MODULES, join(tree, 'node_modules'), 'dir')
  // `npm run check` does that, and it is most of the work; declarations are still made, and what is packed is used below.
  const build = join(tree, 'tsconfig.build.json')
  const settings = JSON.parse(await readFile(build, 'utf8')) as { compilerOptions: object }
  await writeFile(
    build,
    JSON.stringify({ ...settings, compilerOptions: { ...settings.compilerOptions, noCheck: true } }),
  )
  return tree
}

/** What packing needs, around one module: compiling it all takes seconds. */
async function smallTree(t: Test, module: string): Promise<string> {
  const tree = await temporary(t)
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts']) {
    await cp(join(ROOT, name), join(tree, name), { recursive: true })
  }
  await symlink(MODULES, join(tree, 'node_modules'), 'dir')
  await mkdir(join(tree, 'workers'))
  await writeFile(join(tree, 'workers', 'module.ts'), module)
  return tree
}

const packing = (tree: string, step: 'prepare' | 'restore'): Promise<Outcome> =>
  run(tree, process.execPath, join('scripts', 'pack.ts'), step)

/** Makes the tarball from a copy of the tree. @returns where it is, and the copy */
async function pack(t: Test): Promise<{ tree: string; tarball: string }> {
  const tree = await copyTree(t)
  const { code, stderr } = await run(tree, 'npm', 'pack', '--offline', '--silent', '--ignore-scripts=false')
  t.equal(code, 0, `npm pack succeeds ${stderr}`)
  const tarball = (await readdir(tree)).find((name) => name.endsWith('.tgz')) ?? 'no tarball'
  return { tree, tarball: join(tree, tarball) }
}

interface Manifest {
  version: string
  bin: Record<string, string>
  dependencies: Record<string, string>
  [field: string]: unknown
}

/** An application that has it installed: beside its declared dependencies and nothing more of ours. */
async function install(t: Test, tarball: string): Promise<{ app: string; command: string; manifest: Manifest }> {
  const app = await temporary(t)
  const home = join(app, 'node_modules', 'headrace')
  await mkdir(home, { recursive: true })
  t.equal((await run(app, 'tar', '-xzf', tarball, '--strip-components=1', '-C', home)).code, 0, 'tar unpacks it')
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as Manifest
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    const link = join(app, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(MODULES, name), link, 'dir')
  }
  const command = join(home, manifest.bin.headrace ?? 'no command')
  await chmod(command, 0o755) // as npm does for what `bin` names
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  return { app, command, manifest }
}

void test('the packed package', async (t) => {
  const { tree, tarball } = await pack(t)
  const { app, command, manifest } = await install(t, tarball)

  await t.test('is compiled, and says so in its manifest', async (t) => {
    t.match(manifest, {
      engines: { node: '>=24' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      bin: { headrace: './dist/headrace.js' },
    })
    for (const field of ['scripts', 'devDependencies', 'optionalDependencies']) t.notOk(field in manifest, field)
    const files = await readdir(join(app, 'node_modules', 'headrace'), { recursive: true })
    t.same(
      files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')),
      [],
      'no TypeScript but declarations',
    )
  })

  await t.test('has every page that its README leads to, and nothing that generates one', async (t) => {
    const home = join(app, 'node_modules', 'headrace')
    const docs = await readdir(join(home, 'docs'))
    t.ok(docs.length > 3)
    t.same(
      docs.filter((name) => !name.endsWith('.md')),
      [],
    )
    for (const page of ['README.md', ...docs.map((name) => join('docs', name))]) {
      const text = await readFile(join(home, page), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        t.ok(existsSync(join(home, dirname(page), link)), `${page} leads to ${link}`)
      }
    }
  })

  await t.test('leaves the tree that it was packed from as it was', async (t) => {
    const [before, after] = await Promise.all(
      [ROOT, tree].map((folder) => readFile(join(folder, 'package.json'), 'utf8')),
    )
    t.equal(after, before)
    t.notOk(existsSync(join(tree, 'package.source.json')))
  })

  await t.test('has a command that tells its version', async (t) => {
    const { code, stdout, stderr } = await run(app, process.execPath, command, '--version')
    t.equal(stderr, '')
    t.match(stdout, manifest.version)
    t.equal(code, 0)
  })

  await t.test('has a command that checks a configuration which imports the package', async (t) => {
    const upstreams = "{ api: { targets: ['http://127.0.0.1:3000'] } }"
    await writeFile(
      join(app, 'headrace.config.ts'),
      `import { defineConfig } from 'headrace'
export default defineConfig({ upstreams: ${upstreams}, routes: { '/*': { to: 'api' } } })
`,
    )
    const good = await run(app, process.execPath, command, 'check')
    t.equal(good.code, 0, good.stderr || good.stdout)
    await writeFile(
      join(app, 'bad.config.ts'),
      `import { defineConfig } from 'headrace'
export default defineConfig({ upstreams: ${upstreams}, routes: { '/*': { to: 'apu' } } })
`,
    )
    const bad = await run(app, process.execPath, command, 'check', '--config', 'bad.config.ts')
    t.equal(bad.code, 1, 'an upstream that does not exist is invalid')
  })

  await t.test('has types: an application type-checks against it', async (t) => {
    const options = { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: ['node'] }
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['use.ts'] }))
    await writeFile(
      join(app, 'use.ts'),
      `import Fastify from 'fastify'
import { defineConfig, gateway } from 'headrace'
export const good = defineConfig({
  listen: { port: 8080 },
  upstreams: { api: { targets: ['http://127.0.0.1:3000'] } },
  routes: { '/*': { to: 'api' } },
})
export const app = Fastify({ http2: true })
await app.register(gateway, { prefix: '/x', upstreams: { api: { targets: ['http://127.0.0.1:3000'] } }, routes: {} })
export const targets = app.upstreams.snapshot().map(({ state }) => state)
// @ts-expect-error a listener is the application's
await app.register(gateway, { listen: { port: 8080 } })
// @ts-expect-error a port is a number
export const bad = defineConfig({ listen: { port: 'eighty' }, upstreams: {}, routes: {} })
`,
    )
    const tsc = join(MODULES, 'typescript', 'bin', 'tsc')
    const { code, stdout } = await run(app, process.execPath, tsc, '-p', app)
    t.equal(code, 0, stdout)
  })

  await t.test('says in one line what it needs on an older Node', async (t) => {
    for (const node of SYSTEM_NODES.filter((file) => existsSync(file))) {
      const { stdout: version } = await run(app, node, '--version')
      if (Number(/\d+/.exec(version)?.[0]) >= 24) continue
      const { code, stdout, stderr } = await run(app, node, command, '--version')
      t.equal(code, 1)
      t.equal(stdout, '')
      t.match(stderr, /^headrace needs Node 24 or newer; this is Node \d+\.\d+\.\d+ \(.+\)\n$/)
      return
    }
    t.comment(`No Node older than 24 among ${SYSTEM_NODES.join(', ')}: the message was not seen`)
  })
})

void test('a packing that was interrupted is healed', async (t) => {
  const tree = await smallTree(t, 'export const answer = 42\n')
  const manifest = (): Promise<string> => readFile(join(tree, 'package.json'), 'utf8')
  const original = await manifest()
  t.equal((await packing(tree, 'prepare')).code, 0)
  t.not(await manifest(), original, 'the published manifest is in place')
  t.equal((await packing(tree, 'prepare')).code, 0, 'as if the first had been interrupted')
  t.equal((await packing(tree, 'restore')).code, 0)
  t.equal(await manifest(), original)
  t.equal((await packing(tree, 'restore')).code, 0, 'and once more changes nothing')
  t.equal(await manifest(), original)
})

void test('packing fails on a path in a string that compiling would break', async (t) => {
  const tree = await smallTree(
    t,
    `export const entry = new URL('./entry.ts', import.meta.url)
export const asset = new URL('./missing.sql', import.meta.url)
`,
  )
  const original = await readFile(join(tree, 'package.json'), 'utf8')
  const { code, stderr } = await packing(tree, 'prepare')
  t.equal(code, 1)
  t.match(stderr, "workers/module.js: './entry.ts' needs './entry.js' beside it")
  t.match(stderr, "workers/module.js: './missing.sql' does not exist")
  t.equal(await readFile(join(tree, 'package.json'), 'utf8'), original, 'package.json is left alone')
})
