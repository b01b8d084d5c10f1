import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { EvaluateConfigReply, EvaluateConfigRequest } from '../workers/protocol.ts'
import type { Variables } from './environment.ts'
import { UNSET } from './source/source.ts'

/** Longest time that the code of a configuration may take. */
export const EVALUATION_TIMEOUT_MS = 5_000
const MAX_HEAP_MB = 512

export type Evaluation = EvaluateConfigReply | { outcome: 'timeout' } | { outcome: 'exit'; reason: string }

// Both extensions, so that the compiled package finds the compiled files (scripts/pack-references.ts).
const isSource = import.meta.url.endsWith('.ts')
const worker = isSource ? '../workers/evaluate-config.ts' : '../workers/evaluate-config.js'
const define = isSource ? './define.ts' : './define.js'

/**
 * Evaluates a configuration that is code, in a fresh thread with the given environment. The thread is over when this
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
  const thread = new Worker(new URL(worker, import.meta.url), {
    workerData: request,
    env: { ...variables } as NodeJS.ProcessEnv,
    // Stripping types warns that it is experimental, each time.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdout: true,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  thread.stdout.on('data', (chunk: Buffer) => process.stderr.write(chunk))
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Evaluation>((resolve) => {
      timer = setTimeout(() => resolve({ outcome: 'timeout' }), timeoutMs)
      thread.once('message', resolve)
      thread.once('error', (error: Error) => resolve({ outcome: 'exit', reason: error.message }))
      thread.once('exit', (code) => resolve({ outcome: 'exit', reason: exitReason(code) }))
    })
  } finally {
    clearTimeout(timer)
    await thread.terminate()
  }
}

function exitReason(code: number): string {
  return code === 0
    ? 'it ended before its export; a top-level await never settled, or it called process.exit()'
    : `it ended its thread with code ${code}`
}
