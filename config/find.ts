import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import type { ProblemCode } from './errors.ts'

/** File names that are looked for, in a folder. */
export const CONFIG_FILES = ['ts', 'js', 'mjs', 'json', 'yaml', 'yml'].map(
  (extension) => `headrace.config.${extension}`,
)

const MAX_BYTES = 1024 * 1024

export type Format = 'script' | 'json' | 'yaml'

const FORMATS: Record<string, Format> = {
  '.ts': 'script',
  '.mts': 'script',
  '.js': 'script',
  '.mjs': 'script',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
}

/** The text of a configuration file, or why there is none. */
export type Found =
  | { file: string; text: string; format: Format }
  | { code: ProblemCode; message: string; file: string | null }

/** The configuration file of a folder, or the one that is named. @param named relative to `folder` */
export function findConfig(folder: string, named?: string): Found {
  if (named !== undefined) return readConfig(resolve(folder, named))
  const present = CONFIG_FILES.map((name) => join(folder, name)).filter((file) => existsSync(file))
  const [file, other] = present
  if (file === undefined) {
    const message = `no configuration in ${folder}: write a headrace.config.yaml (or .ts, .js, .json), name one with --config, or run headrace <url>`
    return { code: 'HR_CONFIG_NOT_FOUND', message, file: null }
  }
  if (other !== undefined) {
    const names = present.map((path) => basename(path)).join(' and ')
    return { code: 'HR_CONFIG_AMBIGUOUS', message: `${names} are both here: choose one with --config`, file: null }
  }
  return readConfig(file)
}

function readConfig(file: string): Found {
  const format = FORMATS[extname(file).toLowerCase()]
  if (format === undefined) {
    const message = `a configuration is one of ${Object.keys(FORMATS).join(', ')}, not '${extname(file)}'`
    return { code: 'HR_CONFIG_UNREADABLE', message, file }
  }
  try {
    const { size } = statSync(file)
    if (size > MAX_BYTES) return { code: 'HR_CONFIG_UNREADABLE', message: 'the file is larger than 1 MiB', file }
    return { file, format, text: readFileSync(file, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT') return { code: 'HR_CONFIG_NOT_FOUND', message: 'the file does not exist', file }
    return { code: 'HR_CONFIG_UNREADABLE', message: `the file cannot be read: ${code}`, file }
  }
}
