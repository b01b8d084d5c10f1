import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks until it is so. In between, others get the processor: what is waited for is done by another process, as a rule.
 *
 * @param everyMs milliseconds from one answer to the next question; more where a question is much work
 */
export async function until(isSo: () => boolean | Promise<boolean>, everyMs = 5): Promise<void> {
  while (!(await isSo())) await delay(everyMs)
}
