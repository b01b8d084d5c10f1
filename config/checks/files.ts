import { accessSync, constants, statSync } from 'node:fs'
import type { Path } from '../problem.ts'
import type { CheckContext } from './context.ts'

/** Every file that the configuration names is there and can be read. */
export function checkFiles({ settings, report, toPath }: CheckContext): void {
  const check = (file: string | undefined, path: Path): void => {
    const fault = file === undefined ? undefined : faultOf(toPath(file))
    if (fault) report.add('HR_CONFIG_FILE_MISSING', path, `${toPath(file ?? '')} ${fault}`)
  }
  const listeners = Array.isArray(settings.listen) ? settings.listen : [settings.listen]
  listeners.forEach(({ tls }, index) => {
    if (tls === undefined || tls === 'development') return
    const place = ['listen', ...(Array.isArray(settings.listen) ? [index] : []), 'tls']
    const certificates = Array.isArray(tls) ? tls : [tls]
    certificates.forEach(({ cert, key }, number) => {
      const path = [...place, ...(Array.isArray(tls) ? [number] : [])]
      check(cert, [...path, 'cert'])
      check(key, [...path, 'key'])
    })
  })
  for (const [name, { tls, openapi }] of Object.entries(settings.upstreams)) {
    for (const key of ['ca', 'cert', 'key'] as const) check(tls?.[key], ['upstreams', name, 'tls', key])
    if (openapi?.startsWith('/') === false) check(openapi, ['upstreams', name, 'openapi'])
  }
}

function faultOf(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return 'is a folder'
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
    return code === 'EACCES' ? 'may not be read' : `cannot be read: ${String(code ?? error)}`
  }
}
