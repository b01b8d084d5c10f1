import { painter, type Surroundings } from './terminal.ts'

/** A process that is not in what a gateway of several has answered, and why. */
export interface MissingProcess {
  process: number
  reason: string
}

export function warnOfMissing(missing: readonly MissingProcess[], { stderr }: Surroundings): void {
  const paint = painter(stderr)
  for (const { process, reason } of missing) {
    stderr.write(`${paint('yellow', 'warning')} process ${process} did not answer: ${reason}\n`)
  }
}
