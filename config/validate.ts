import { isAbsolute, resolve } from 'node:path'
import { checkAccess } from './checks/access.ts'
import { checkAnswers } from './checks/answers.ts'
import { checkCache } from './checks/cache.ts'
import { checkConsumersFile } from './checks/consumers-file.ts'
import { checkFiles } from './checks/files.ts'
import { checkLimits } from './checks/limits.ts'
import { checkListeners } from './checks/listeners.ts'
import { checkMirrors } from './checks/mirrors.ts'
import { checkPassing } from './checks/passing.ts'
import { checkRoutes } from './checks/routes.ts'
import { checkSplits } from './checks/splits.ts'
import { checkTransforms } from './checks/transforms.ts'
import { checkUpstreams } from './checks/upstreams.ts'
import type { Report } from './problem.ts'
import { configSchema, type Settings } from './schema.ts'
import { type SchemaNode, settle } from './settle.ts'
import { isRecord } from './value.ts'

const CHECKS = [
  checkListeners,
  checkUpstreams,
  checkRoutes,
  checkAnswers,
  checkAccess,
  checkSplits,
  checkMirrors,
  checkPassing,
  checkTransforms,
  checkLimits,
  checkCache,
  checkFiles,
  checkConsumersFile,
]

/**
 * Validates what was read: first its shape, along the schema, then what one part asks of another. Complaints go into
 * `report`; the settings are whole and usable only if there are none.
 *
 * @param isUnset tells stand-ins of unset environment variables from values
 * @param root the folder that relative paths start from
 */
export function validate(
  value: unknown,
  { report, root, isUnset = () => false }: { report: Report; root: string; isUnset?: (value: unknown) => boolean },
): Settings | undefined {
  const settings = settle(configSchema as SchemaNode, value, [], { report, isUnset }) as Settings | undefined
  if (settings === undefined) return undefined
  const names = { upstreams: keysOf(value, 'upstreams'), routes: keysOf(value, 'routes') }
  const toPath = (path: string): string => (isAbsolute(path) ? path : resolve(root, path))
  for (const check of CHECKS) check({ settings, names, report, toPath })
  return settings
}

function keysOf(value: unknown, property: string): string[] {
  const part = isRecord(value) ? value[property] : undefined
  return isRecord(part) ? Object.keys(part) : []
}
