import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { digestModule } from '../services/options/module-files.ts'
import { formatPath, type Path } from './problem.ts'
import type { Settings } from './schema.ts'

/** A file that a configuration names. */
export interface NamedFile {
  /** Of the property. */
  path: Path
  /** As it is written there. */
  file: string
  /** Whoever reads it sees by itself when it changes: that is no change of the configuration. */
  live?: true
  /** Code, which counts with what it imports. */
  module?: true
  /** What makes one that is missing. */
  remedy?: string
}

/** Every file that the configuration names. */
export function namedFiles({ listen, upstreams, routes, redis, access }: Settings): NamedFile[] {
  const found: NamedFile[] = []
  const add = (file: string | undefined, path: Path): void => {
    if (file !== undefined) found.push({ path, file })
  }
  for (const [index, { tls, clientCertificates }] of (Array.isArray(listen) ? listen : [listen]).entries()) {
    const own = ['listen', ...(Array.isArray(listen) ? [index] : [])]
    add(clientCertificates?.ca, [...own, 'clientCertificates', 'ca'])
    if (tls === undefined || tls === 'development') continue
    const place = [...own, 'tls']
    for (const [number, { cert, key }] of (Array.isArray(tls) ? tls : [tls]).entries()) {
      const path = [...place, ...(Array.isArray(tls) ? [number] : [])]
      add(cert, [...path, 'cert'])
      add(key, [...path, 'key'])
    }
  }
  for (const [name, { tls, openapi }] of Object.entries(upstreams)) {
    for (const key of ['ca', 'cert', 'key'] as const) add(tls?.[key], ['upstreams', name, 'tls', key])
    if (openapi?.startsWith('/') === false) add(openapi, ['upstreams', name, 'openapi'])
  }
  for (const [key, { answer, mock, validate, transform }] of Object.entries(routes)) {
    add(answer?.file, ['routes', key, 'answer', 'file'])
    if (typeof validate === 'object') add(validate.document, ['routes', key, 'validate', 'document'])
    for (const side of ['request', 'response'] as const) {
      const hook = transform?.[side].hook?.replace(/#[^#]*$/, '')
      if (hook !== undefined) found.push({ path: ['routes', key, 'transform', side, 'hook'], file: hook, module: true })
    }
    if (typeof mock === 'string') add(mock, ['routes', key, 'mock'])
    else if (typeof mock === 'object') add(mock.document, ['routes', key, 'mock', 'document'])
  }
  if (access.consumersFile !== undefined) {
    const remedy = `headrace key create NAME --file ${access.consumersFile}`
    found.push({ path: ['access', 'consumersFile'], file: access.consumersFile, live: true, remedy })
  }
  for (const [name, { jwks }] of Object.entries(access.jwt)) {
    if (jwks.file !== undefined)
      found.push({ path: ['access', 'jwt', name, 'jwks', 'file'], file: jwks.file, live: true })
  }
  if (redis.url !== undefined) {
    for (const key of ['ca', 'cert', 'key'] as const) add(redis.tls[key], ['redis', 'tls', key])
  }
  return found
}

/**
 * What is in the files that the configuration names now, by the property that names each. What cannot be read is left out.
 *
 * @param toPath an absolute path, from the folder of the configuration
 */
export function digestFiles(settings: Settings, toPath: (path: string) => string): Map<string, string> {
  const digests = new Map<string, string>()
  for (const { path, file, live, module } of namedFiles(settings)) {
    if (live === true) continue
    try {
      const absolute = toPath(file)
      const digest =
        module === true
          ? digestModule(absolute)
          : createHash('sha256').update(readFileSync(absolute)).digest('base64url')
      digests.set(formatPath(path), digest)
    } catch {
      // Whoever needs the file says why it cannot be read.
    }
  }
  return digests
}
