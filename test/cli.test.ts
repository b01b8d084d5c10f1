import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url))

void test('a reader that has seen enough (headrace print --schema | head) is no failure', async (t) => {
  const child = spawn(process.execPath, [CLI, 'print', '--schema'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [[code], said] = await Promise.all([once(child, 'close'), text(child.stderr)])
  t.equal(code, 0)
  t.equal(said, '')
})
