import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { afterDeath } from './after-death.ts'

/** Why tests with a file system of their own cannot run here; `false` where they can. */
export const noMount: string | false = reasonAgainstMounting()

export interface SmallDisk {
  folder: string
  /** Takes all that is left of it. */
  fill(): void
  /** Makes it this large. */
  resize(size: string): void
  /** From now on nothing can be written, or can again. Not while a file is open for writing. */
  writable(is: boolean): void
}

/** A file system in memory of this size (`2m`), which ends with the test. Register it before what uses it. */
export function smallDisk(t: Test, size: string): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-disk-'))
  mount(folder, `size=${size}`)
  const forget = afterDeath('umount -l "$1"; rmdir "$1"', folder)
  t.teardown(() => {
    forget()
    spawnSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  const remount = (option: string): void => mount(folder, `remount,${option}`)
  return {
    folder,
    fill() {
      // Ever smaller pieces, down to the last page.
      for (const bytes of [65_536, 4_096]) {
        try {
          for (let i = 0; ; i++) writeFileSync(join(folder, `filler-${bytes}-${i}`), Buffer.alloc(bytes))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
    },
    resize: (to) => remount(`size=${to}`),
    writable: (is) => remount(is ? 'rw' : 'ro'),
  }
}

function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
}

function reasonAgainstMounting(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can mount a file system'
  const folder = mkdtempSync(join(tmpdir(), 'headrace-disk-'))
  try {
    mount(folder, 'size=64k')
    spawnSync('umount', [folder])
    return false
  } catch (error) {
    return `no file system can be mounted: ${(error as Error).message.split('\n')[0]}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
