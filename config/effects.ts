import type { ChangeEffect } from '../services/configuration/report.ts'
import type { Path } from './problem.ts'

/** A property whose change wants a restart, and those below it; `*` stands for any name or number. */
type Pattern = readonly string[]

/** Of what the process that supervises holds from its start to its end. */
const ALWAYS: readonly Pattern[] = [
  ['dataDir'],
  ['admin', 'host'],
  ['admin', 'port'],
  ['admin', 'shared'],
  ['log', 'format'],
]

/** Where one process is all there is: of its listeners, which stay open. */
const ALONE: readonly Pattern[] = [['listen'], ['limits']]

/** What may change all the same: the files of certificates, and what no listener looks at. */
const ALONE_EXCEPT: readonly Pattern[] = [
  ['listen', 'tls'],
  ['listen', '*', 'tls'],
  ['limits', 'bodySize'],
]

/**
 * Whether a change can be had while the gateway runs. With several processes nearly everything can: others with the new
 * configuration take their place.
 *
 * @param processes before and after
 */
export function effectOf(
  { path, kind }: { path: Path; kind: 'added' | 'removed' | 'changed' },
  processes: { before: number; after: number },
): ChangeEffect {
  const isOver = (pattern: Pattern): boolean =>
    pattern.length <= path.length && pattern.every((part, index) => part === '*' || part === String(path[index]))
  const { before, after } = processes
  const isAlone = before === 1
  if (ALWAYS.some(isOver) || (path[0] === 'admin' && path.length === 1)) return 'restart'
  // One process is its own supervisor. (That the number is the same, `auto` may be another word for.)
  if (path[0] === 'processes') return before !== after && (isAlone || after === 1) ? 'restart' : 'reload'
  if (!isAlone || !ALONE.some(isOver)) return 'reload'
  // Between cleartext and TLS no connection could be told from the other.
  const isMode = path.at(-1) === 'tls' && kind !== 'changed'
  return !isMode && ALONE_EXCEPT.some(isOver) ? 'reload' : 'restart'
}
