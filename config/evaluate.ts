import { type ChildProcess, fork } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import type { EvaluateConfigReply, EvaluateConfigRequest } from '../workers/protocol.ts'
import type { Variables } from './environment.ts'
import { UNSET } from './source/source.ts'

/** Longest time that the code of a configuration may take. */
export const EVALUATION_TIMEOUT_MS = 5_000
const MAX_HEAP_MB = 512

export type Evaluation = EvaluateConfigReply | { outcome: 'timeout' } | { outcome: 'exit'; reason: string }

// Both extensions, so that the compiled package finds the compiled files (scripts/pack-references.ts).
const isSource = import.meta.url.endsWith('.ts')
const evaluator = isSource ? '../workers/evaluate-config.ts' : '../workers/evaluate-config.js'
const define = isSource ? './define.ts' : './define.js'

/**
 * Evaluates a configuration that is code, in a fresh process with the given environment. The process is over when this
 * resolves, whatever the code does. What it prints goes to standard error, so that it never mixes with an answer.
 */
export async function evaluate(
  file: string,
  text: string,
  { variables, timeoutMs = EVALUATION_TIMEOUT_MS }: { variables: Variables; timeoutMs?: number | undefined },
): Promise<Evaluation> {
  const request: EvaluateConfigRequest = {
    url: pathToFileURL(file).href,
    define: new URL(define, import.meta.url).href,
    typescript: /\.m?ts$/.test(file) ? text : null,
    unset: UNSET,
  }
  const child = fork(new URL(evaluator, import.meta.url), {
    env: { ...variables } as NodeJS.ProcessEnv,
    // Stripping types warns that it is experimental, each time.
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${MAX_HEAP_MB}`],
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  const over = new Promise((resolve) => child.once('close', resolve))
  const kill = (): void => void child.kill('SIGKILL')
  // Code that computes without end does not notice that nobody waits for it any more.
  process.once('exit', kill)
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Evaluation>((resolve) => {
      timer = setTimeout(() => resolve({ outcome: 'timeout' }), timeoutMs)
      child.once('message', (reply) => resolve(reply as EvaluateConfigReply))
      child.on('error', (error) => resolve({ outcome: 'exit', reason: `its process did not start: ${error.message}` }))
      child.once('close', () => resolve({ outcome: 'exit', reason: exitReason(child) }))
      // Without a file descriptor left it has no channel, and its error is still to come.
      if (child.connected) child.send(request)
    })
  } finally {
    clearTimeout(timer)
    kill()
    await over
    process.off('exit', kill)
  }
}

function exitReason({ exitCode, signalCode }: ChildProcess): string {
  if (exitCode === 0) return 'it ended before its export; a top-level await never settled, or it called process.exit()'
  return `it ended its process with ${exitCode === null ? signalCode : `code ${exitCode}`}`
}
