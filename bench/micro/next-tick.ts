/**
 * `node bench/micro/next-tick.ts`: what `process.nextTick` costs in a gateway that has started, on one core, with and
 * without the ticks that it begins with (server/first-ticks.ts). ns a call, in processes of their own, by turns.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { registerHooks } from 'node:module'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUNDS = 5
const CALLS = 400_000
const STARTED_MS = 4_000

function callsOf(): Promise<number> {
  return new Promise((resolve) => {
    let left = CALLS
    const begin = process.hrtime.bigint()
    function tick(..._given: [number, null]): void {
      if (--left === 0) resolve(Number(process.hrtime.bigint() - begin) / CALLS)
      else process.nextTick(tick, left, null)
    }
    process.nextTick(tick, left, null)
  })
}

/** Within the process of a gateway, ahead of it. */
function measureLater(way: string): void {
  registerHooks({
    load: (url, context, next) =>
      way === 'without' && url.endsWith('/first-ticks.ts')
        ? { format: 'module', source: 'export async function compileFirstTicks() {}', shortCircuit: true }
        : next(url, context),
  })
  setTimeout(() => void measure(), STARTED_MS)
}

async function measure(): Promise<void> {
  await callsOf()
  process.stderr.write(String(await callsOf()))
  process.exit()
}

async function run(way: string): Promise<number> {
  // A new one each time: where the gateway has run before, it takes fewer steps to start, and the cost may be the lower one.
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  writeFileSync(join(folder, 'headrace.config.json'), JSON.stringify(CONFIG))
  const cli = fileURLToPath(new URL('../../cli.ts', import.meta.url))
  // The command line belongs to the gateway: the way is said in the address of what is imported ahead of it.
  const args = ['--max-semi-space-size=16', '--import', `${import.meta.url}?${way}`, cli, 'serve']
  const child = spawn('taskset', ['-c', '0', process.execPath, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'close')
  rmSync(folder, { recursive: true })
  return Number(said)
}

const CONFIG = {
  listen: { port: 0 },
  admin: { port: 0 },
  upstreams: { origin: { targets: ['http://127.0.0.1:9'] } },
  routes: { '/*': { to: 'origin', cache: true } },
}

const wanted = new URL(import.meta.url).search.slice(1)
if (wanted !== '') measureLater(wanted)
else {
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ['without', 'with']) console.log(way.padEnd(8), `${Math.round(await run(way))} ns`)
  }
}
