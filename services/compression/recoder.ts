import type { CompressTask } from '../../workers/protocol.ts'
import type { WorkerPool } from '../workers/worker-pool.ts'

/** Compresses what is kept, as hard as it takes, without holding up requests. */
export type Recode = (task: CompressTask) => Promise<Uint8Array>

/** 2 MiB take Brotli 11 about 3 s. */
const TIMEOUT_MS = 30_000

// Both extensions, so that the compiled package finds the compiled file (scripts/pack-references.ts).
const entry = import.meta.url.endsWith('.ts') ? '../../workers/compress.ts' : '../../workers/compress.js'

/** In a thread of the pool. @throws HR_WORKER_* */
export function createRecoder(pool: Pick<WorkerPool, 'run'>): Recode {
  const module = new URL(entry, import.meta.url).href
  return async (task) =>
    (await pool.run({ module, name: 'compress', input: task, timeoutMs: TIMEOUT_MS })) as Uint8Array
}
