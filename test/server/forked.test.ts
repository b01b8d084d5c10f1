import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'

/** Forks the entry, without a supervisor. `end` resolves with how it ended, and what it said on its standard error. */
function forked(t: Test): { child: ChildProcess; end: Promise<[code: unknown, signal: unknown, said: string]> } {
  const entry = fileURLToPath(new URL('../../server/forked.ts', import.meta.url))
  const child = fork(entry, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  const end = Promise.all([once(child, 'exit'), text(child.stderr!)])
  return { child, end: end.then(([[code, signal], said]) => [code, signal, said]) }
}

void test('a process whose supervisor is gone while it starts ends, and has nothing to say', async (t) => {
  const { child, end } = forked(t)
  child.disconnect()
  t.strictSame(await end, [null, 'SIGKILL', ''])
})

void test('a process whose supervisor goes when it asks for its configuration ends', async (t) => {
  const { child, end } = forked(t)
  await once(child, 'message')
  child.disconnect()
  t.strictSame(await end, [null, 'SIGKILL', ''])
})
