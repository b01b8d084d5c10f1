import { spawn } from 'node:child_process'

/**
 * Runs a shell command when this process ends, also where it is killed, as a test that takes too long is: the pipe to a
 * shell that waits for its end closes. @param args what the command knows as $1, $2 …
 * @returns to be called where that is not needed any more
 */
export function afterDeath(command: string, ...args: string[]): () => void {
  const shell = spawn('sh', ['-c', `cat > /dev/null; ${command}`, 'sh', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  return () => void shell.kill('SIGKILL')
}
