import { type Priority, PRIORITIES } from '../../downstream/priority.ts'
import type { Consumers } from './consumers.ts'
import type { Directory } from './directory.ts'

/** The highest priority that any consumer has of their own, as they are at the time. */
export function highestPriority(consumers: Pick<Consumers, 'directory'>): () => Priority {
  let known: Directory | undefined
  let highest: Priority = 'low'
  return () => {
    if (consumers.directory === known) return highest
    known = consumers.directory
    const ranks = known.consumers.map(({ priority }) => PRIORITIES.indexOf(priority ?? 'low'))
    highest = PRIORITIES[Math.max(0, ...ranks)] ?? 'low'
    return highest
  }
}
