/** What processes cost, seen from outside: they are not asked, and do nothing for it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const NANOS_PER_MICRO = 1_000
/** /proc counts in USER_HZ, which is 100 on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000

/**
 * CPU time so far, user and system, of all threads of these processes, in microseconds.
 *
 * @throws Error on a platform with neither /proc nor ps, or when a process is gone
 */
export function cpuMicros(pids: readonly number[]): number {
  const one = process.platform === 'linux' ? fromProc : fromPs
  return pids.reduce((sum, pid) => sum + one(pid), 0)
}

/** By thread in nanoseconds where the kernel keeps that (proc(5), schedstat), else by process in ticks of 10 ms. */
function fromProc(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  try {
    let nanos = 0
    for (const task of tasks) {
      nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ', 1)[0])
    }
    return nanos / NANOS_PER_MICRO
  } catch {
    // No schedstat in this kernel. The name in field 2 may hold spaces: count from the bracket that closes it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK
  }
}

/** `[[days-]hours:]minutes:seconds[.hundredths]`, as macOS and the BSDs print it. */
function fromPs(pid: number): number {
  const { status, stdout, error } = spawnSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The CPU time of process ${pid} cannot be read here`, { cause: error })
  const seconds = stdout
    .trim()
    .replace('-', ':')
    .split(':')
    .map(Number)
    .toReversed()
    .reduce((sum, value, place) => sum + value * ([1, 60, 3_600, 86_400][place] ?? 0), 0)
  return seconds * 1e6
}
