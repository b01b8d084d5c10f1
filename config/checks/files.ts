import { accessSync, constants, statSync } from 'node:fs'
import { namedFiles } from '../files.ts'
import type { CheckContext } from './context.ts'

const MISSING = 'does not exist'

/** Every file that the configuration names is there and can be read. */
export function checkFiles({ settings, report, toPath }: CheckContext): void {
  for (const { path, file, remedy } of namedFiles(settings)) {
    const fault = faultOf(toPath(file))
    const hint = fault === MISSING && remedy !== undefined ? `: make one with \`${remedy}\`` : ''
    if (fault) report.add('HR_CONFIG_FILE_MISSING', path, `${toPath(file)} ${fault}${hint}`)
  }
}

function faultOf(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return 'is a folder'
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return MISSING
    return code === 'EACCES' ? 'may not be read' : `cannot be read: ${String(code ?? error)}`
  }
}
