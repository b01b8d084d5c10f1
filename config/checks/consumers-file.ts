import { readConsumersFile } from '../../services/access/consumers/consumers-file.ts'
import type { CheckContext } from './context.ts'

/** What a gateway would not start with is said before. Comes after the check that the file is there. */
export function checkConsumersFile({ settings, report, toPath }: CheckContext): void {
  const { consumersFile } = settings.access
  if (consumersFile === undefined || report.touches('access', 'consumersFile') || report.touches('tiers')) return
  try {
    readConsumersFile(toPath(consumersFile), Object.keys(settings.tiers))
  } catch (error) {
    report.add('HR_CONFIG_CONSUMERS', ['access', 'consumersFile'], (error as Error).message)
  }
}
