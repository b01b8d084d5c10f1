import type { ConfigChange, ConfigProblem } from '../services/configuration/report.ts'
import { formatChanges } from './changes-text.ts'
import { formatProblems } from './problems.ts'
import { painter, type Surroundings } from './terminal.ts'

/** Shows on standard error what stood in a reload's way, where the gateway's answer tells it. Its message is the caller's. */
export function showRefusal(error: unknown, { stderr }: Surroundings): void {
  const { problem } = error as { problem?: { problems?: ConfigProblem[]; changes?: ConfigChange[] } }
  const paint = painter(stderr)
  const { problems = [], changes = [] } = problem ?? {}
  if (problems.length > 0) stderr.write(formatProblems(problems, paint))
  stderr.write(
    formatChanges(
      changes.filter(({ effect }) => effect === 'restart'),
      paint,
    ),
  )
}
