import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'tap'

const MODULE = new URL('../../server/young-generation.ts', import.meta.url).href
/** Says of itself what it has become. */
const SCRIPT = `
  const { restartWithYoungGeneration } = await import(${JSON.stringify(MODULE)})
  restartWithYoungGeneration(process.env.NODE_OPTIONS)
  console.log(JSON.stringify({ pid: process.pid, execArgv: process.execArgv, argv: process.argv.slice(2) }))
`

interface Became {
  pid: number
  execArgv: string[]
  argv: string[]
}

async function start(file: string, given: string[] = [], options: SpawnOptions = {}): Promise<[Became, number]> {
  const child = spawn(process.execPath, [...given, file, 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
    ...options,
  })
  const [said] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'exit')])
  return [JSON.parse(said) as Became, child.pid as number]
}

const sizes = ({ execArgv }: Became): string[] => execArgv.filter((given) => given.includes('semi-space'))

void test('a gateway starts again with a small young generation, as the same process', async (t) => {
  const file = `${t.testdir({ 'program.mjs': SCRIPT })}/program.mjs`
  const [became, pid] = await start(file, ['--no-warnings'])
  t.equal(became.pid, pid)
  t.strictSame(became.argv, ['serve', '--port', '0'])
  t.ok(became.execArgv.includes('--no-warnings'), 'with the options it had')
  t.strictSame(sizes(became), process.platform === 'win32' ? [] : ['--max-semi-space-size=16'])
})

void test('a size that was chosen stays, and so does a channel to a parent', async (t) => {
  const file = `${t.testdir({ 'program.mjs': SCRIPT })}/program.mjs`
  t.strictSame(sizes((await start(file, ['--max-semi-space-size=2']))[0]), ['--max-semi-space-size=2'])
  const [byVariable] = await start(file, [], { env: { NODE_OPTIONS: '--max_semi_space_size=2' } })
  t.strictSame(sizes(byVariable), [])
  const [withChannel] = await start(file, [], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  t.strictSame(sizes(withChannel), [])
})
