import { Worker } from 'node:worker_threads'
import type { CacheDiskOptions, CacheDiskReply, CacheDiskRequest } from '../../../workers/protocol.ts'
import { threadEnvironment } from '../../workers/thread-environment.ts'

/** The thread that owns the database, seen from this one. */
export interface DiskThread {
  /** @param transfer buffers that change hands: they are empty here afterwards */
  post(request: CacheDiskRequest, transfer?: readonly ArrayBuffer[]): void
  /** Ends it, whatever it does; `ended` is called then. */
  stop(): void
}

export interface DiskThreadListener {
  replied(reply: CacheDiskReply): void
  /** Once. @param reason for people */
  ended(reason: string): void
}

export type StartDiskThread = (options: CacheDiskOptions, listener: DiskThreadListener) => DiskThread

const MAX_HEAP_MB = 128

// Both extensions, so that the compiled package finds the compiled file (scripts/pack-references.ts).
const entry = import.meta.url.endsWith('.ts') ? '../../../workers/cache-disk.ts' : '../../../workers/cache-disk.js'

/** Keeps the process alive until it ends: close the tier. */
export const startDiskThread: StartDiskThread = (options, listener) => {
  const worker = new Worker(new URL(entry, import.meta.url), {
    workerData: options,
    name: 'cache-disk',
    env: threadEnvironment(),
    // Of SQLite, which some versions of Node call experimental.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  let reason: string | undefined
  worker.on('message', (reply: CacheDiskReply) => {
    if (reply.kind === 'failed') reason = reply.reason
    else listener.replied(reply)
  })
  worker.on('error', (error: Error) => (reason = error.message))
  worker.on('exit', (code) => listener.ended(reason ?? `its thread ended with code ${code}`))
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    stop: () => void worker.terminate(),
  }
}
