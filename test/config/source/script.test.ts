import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'
import { loadConfig } from '../../../config/load.ts'
import { PATIENCE } from '../../helper.ts'

async function problemsOf(t: Test, text: string, { name = 'headrace.config.ts', timeoutMs = 5_000, more = {} } = {}) {
  const cwd = t.testdir({ [name]: text, ...more })
  const loaded = await loadConfig({ cwd, variables: { SET: 'x', PORT_TEXT: '80' }, file: name, timeoutMs })
  return loaded.ok
    ? []
    : loaded.problems.map(({ line, column, code, path, message }) => ({ at: `${line}:${column}`, code, path, message }))
}

void test('positions are found through names, spreads, shorthands and defineConfig', async (t) => {
  const text = `import { defineConfig, type ConfigInput } from 'headrace'
const timeout = { conect: '1s' }
const shared = { targets: ['http://a'], timeout }
interface Unused { a: number }
const config: ConfigInput = {
  upstreams: { a: { ...shared, 'bogus': 1 } },
  ['routes']: { '/x': { to: 'b' } },
} as ConfigInput
export default defineConfig(config)
`
  t.match(await problemsOf(t, text), [
    { at: '2:19', path: 'upstreams.a.timeout.conect' },
    { at: '6:32', path: 'upstreams.a.bogus' },
    { at: '7:29', path: "routes['/x'].to" },
  ])
})

void test('what the text does not show is placed at the nearest thing that it does show', async (t) => {
  const text = `const make = () => ({ targets: ['http://a'], bogus: 1 })\nexport default {\n  upstreams: { a: make() },\n}\n`
  t.match(await problemsOf(t, text), [{ at: '3:16', path: 'upstreams.a.bogus' }])
})

void test('CommonJS is read and placed too', async (t) => {
  t.match(await problemsOf(t, 'module.exports = {\n  listn: 1 }', { name: 'x.js', more: { 'package.json': '{}' } }), [
    { at: '2:3', path: 'listn' },
  ])
})

void test('every variable that is not set is named, and what depends on it is not', async (t) => {
  const text = `import { defineConfig, env } from 'headrace'
export default defineConfig({
  processes: Number(env('N')),
  upstreams: { a: { targets: [env('A'), \`http://\${env('B')}:80\`] } },
  log: { level: env('SET') as never },
  listen: { port: env('PORT_TEXT', 1), host: env('H', 'h') },
})
`
  t.match(await problemsOf(t, text), [
    { at: '3:21', code: 'HR_CONFIG_ENV_UNSET' },
    { at: '4:31', code: 'HR_CONFIG_ENV_UNSET' },
    { at: '4:51', code: 'HR_CONFIG_ENV_UNSET' },
    { at: '5:17', code: 'HR_CONFIG_VALUE', message: /got 'x'/ },
  ])
})

void test('what is no plain data is named: functions, instances, promises, cycles', async (t) => {
  const text = `const loop = {}
loop.self = loop
export default {
  drainTimeout: () => '1s', dataDir: new URL('file:///x'), log: Promise.resolve({}), admin: loop, processes: 3n }`
  const problems = await problemsOf(t, text, { name: 'x.mjs' })
  t.match(
    problems.filter(({ code }) => code === 'HR_CONFIG_NOT_DATA').map(({ message }) => message),
    [
      /^'drainTimeout' is a function/,
      /^'dataDir' is a URL/,
      /^'log' is a promise: await it/,
      /^'admin\.self' is a reference to what contains it/,
      /^'processes' is a bigint/,
    ],
  )
  t.match(await problemsOf(t, 'export default () => ({})'), [
    { at: '1:16', message: /^the default export is a function/ },
  ])
})

void test('a file that hangs is ended, and one that ends itself is reported', async (t) => {
  t.match(await problemsOf(t, 'while (true) {}', { timeoutMs: 300 }), [{ message: /took longer than 0.3 s/ }])
  t.match(await problemsOf(t, 'await new Promise(() => {})'), [{ message: /never settled/ }])
  t.match(await problemsOf(t, 'process.exit(3)'), [{ message: /ended its process with code 3/ }])
  t.match(await problemsOf(t, "process.kill(process.pid, 'SIGKILL')"), [{ message: /ended its process with SIGKILL/ }])
  t.match(await problemsOf(t, 'Promise.reject(new Error("late"))\nawait new Promise(() => {})'), [
    { message: /failed: late/ },
  ])
  t.same(await problemsOf(t, 'setInterval(() => {}, 1000)\nexport default {}'), [], 'a timer holds nothing up')
  const hangup = "process.kill(process.pid, 'SIGHUP')\nawait new Promise(setImmediate)\nexport default {}"
  t.same(await problemsOf(t, hangup), [], 'a signal to all processes of the gateway ends no evaluation')
})

void test('faults of the code have their place', async (t) => {
  t.match(await problemsOf(t, 'export default {\n  a: 1\n  b: 2\n}'), [{ at: '3:3', code: 'HR_CONFIG_SYNTAX' }])
  t.match(await problemsOf(t, 'export default {\n  a: 1\n  b: 2\n}', { name: 'x.mjs' }), [
    { at: '3:3', code: 'HR_CONFIG_SYNTAX' },
  ])
  t.match(await problemsOf(t, 'enum A { b }\nexport default {}'), [{ code: 'HR_CONFIG_SYNTAX', message: /enum/ }])
  t.match(await problemsOf(t, 'const a = 1\n\nnope()\nexport default {}'), [
    { at: '3:1', code: 'HR_CONFIG_EVALUATION', message: /ReferenceError: nope is not defined/ },
  ])
  t.match(await problemsOf(t, "import './b.ts'\nexport default {}", { more: { 'b.ts': '\nnope()' } }), [
    { at: 'null:null', message: /b\.ts:2\)$/ },
  ])
  t.match(await problemsOf(t, "import './gone.ts'"), [{ message: /Cannot find module/ }])
  t.match(await problemsOf(t, 'throw "x"'), [{ message: /it threw 'x'/ }])
  t.match(await problemsOf(t, 'export const config = {}'), [{ message: /no default export/ }])
})

void test('each load is a fresh one: an imported module is read again', async (t) => {
  const cwd = t.testdir({
    'headrace.config.ts': "import { port } from './port.ts'\nexport default { listen: { port } }",
    'port.ts': 'export const port = globalThis.seen ? 1 : 2\nglobalThis.seen = true',
  })
  for (const _ of [1, 2]) {
    const loaded = await loadConfig({ cwd, variables: {} })
    t.equal(loaded.ok && loaded.config.listen[0]?.port, 2)
  }
})

const EVALUATE = JSON.stringify(new URL('../../../config/evaluate.ts', import.meta.url).href)

/** Evaluates a configuration in a process that has taken every descriptor it may have. */
const WITHOUT_DESCRIPTORS = `
  import { openSync } from 'node:fs'
  import { evaluate } from ${EVALUATE}
  try {
    while (true) openSync('/dev/null')
  } catch {}
  console.log(JSON.stringify(await evaluate('/x.js', '', { variables: {} })))
`

void test('where no process can be started, that is said', {
  skip: process.platform === 'win32',
  timeout: PATIENCE,
}, async (t) => {
  const limited = 'ulimit -n 100 && exec "$0" --input-type=module --eval "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, WITHOUT_DESCRIPTORS])
  t.match(JSON.parse(stdout), { outcome: 'exit', reason: /^its process did not start: .*EMFILE$/ })
})

/** Evaluates a configuration that computes without end, until its standard input says that this is enough. */
const EVALUATING = `
  import { evaluate } from ${EVALUATE}
  process.stdin.once('data', () => process.exit())
  void evaluate(process.argv[1], '', { variables: {} })
`

void test('code that computes without end is over with the process that waits for it', {
  timeout: PATIENCE,
}, async (t) => {
  const cwd = t.testdir({ 'endless.mjs': `console.error('begun')\nfor (;;) {}\n` })
  const child = spawn(process.execPath, ['--input-type=module', '--eval', EVALUATING, join(cwd, 'endless.mjs')])
  // Both write there: it ends with the last of them.
  for await (const line of createInterface({ input: child.stderr })) if (line === 'begun') child.stdin.end('enough')
  t.pass('nobody holds standard error open')
})
