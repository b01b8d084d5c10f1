import { type DestinationStream, pino } from 'pino'

type Destination = ReturnType<typeof pino.destination>

/** What waits to be written at most, in characters; what comes on top is lost. */
const MOST_WAITING = 8_388_608

export interface DestinationParts {
  /** Lines are collected into larger writes, for a second at most; `false`: each is written at once. By default they are. */
  collects?: boolean
  /** Lines cannot be written: the disk is full, a quota used up. Called once until they can be again. */
  failed: (error: Error & { code?: string }) => void
  /** They can. @param lost how many were not, and will not be */
  recovered: (lost: number) => void
}

/**
 * Where finished lines go; what is left when the process ends is written then. Nobody waits
 * for it: while lines cannot be written, or not as fast as they come, some wait and the others are lost. It is no reason to
 * stop, as it would be for pino, which throws what its destination fails with.
 *
 * @param dest a descriptor, or a path
 */
export function logDestination(
  dest: number | string,
  { collects = true, failed, recovered }: DestinationParts,
): DestinationStream {
  const lines = pino.destination({
    dest,
    sync: false,
    ...(collects && { minLength: 4_096, periodicFlush: 1_000 }),
    maxLength: MOST_WAITING,
  }) as Destination & { flushSync: () => void }
  let isFailing = false
  let lost = 0
  lines.on('drop', () => lost++)
  lines.on('error', (error: Error) => {
    if (isFailing) return
    isFailing = true
    // Called when the process ends: it would try without end (sonic-boom, flushSync).
    lines.flushSync = () => undefined
    failed(error)
  })
  lines.on('write', () => {
    if (!isFailing && lost === 0) return
    const count = lost
    if (isFailing) delete (lines as Partial<typeof lines>).flushSync
    isFailing = false
    lost = 0
    recovered(count)
  })
  return lines
}
