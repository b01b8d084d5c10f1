/** Where and on what a run took place: without it a figure means nothing. */
import { spawnSync } from 'node:child_process'
import { arch, cpus, platform, release, totalmem } from 'node:os'

export interface Circumstances {
  commit: string | null
  /** Whether the working tree differed from the commit. */
  modified: boolean
  date: string
  node: string
  machine: { platform: string; arch: string; release: string; cpu: string; cores: number; memoryMiB: number }
}

const git = (...args: string[]): string | null => {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname })
  return status === 0 ? stdout.trim() : null
}

export function circumstances(): Circumstances {
  const processors = cpus()
  return {
    commit: git('rev-parse', '--short', 'HEAD'),
    modified: git('status', '--porcelain', '--untracked-files=no') !== '',
    date: new Date().toISOString(),
    node: process.version,
    machine: {
      platform: platform(),
      arch: arch(),
      release: release(),
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
    },
  }
}
