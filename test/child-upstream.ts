import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

/** An upstream in a process of its own, which can be stopped and killed. */
export interface ChildUpstream {
  origin: string
  /** Ends when the test does, whatever state it is in. */
  process: ChildProcess
  /** SIGSTOP: the kernel still accepts connections for it. */
  stop(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const SERVER = `require('node:http')
  .createServer((_request, response) => response.end('child'))
  .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)) })`

export async function startChildUpstream(t: Test): Promise<ChildUpstream> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    process: child,
    stop: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
