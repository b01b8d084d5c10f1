import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { ProblemCode } from './errors.ts'
import { closest } from './suggest.ts'

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

/** A configuration file and its text. */
export interface FoundConfig {
  file: string
  text: string
  format: Format
}

/** One, or why there is none. */
export type Found = FoundConfig | { code: ProblemCode; message: string; file: string | null }

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
  const refused = (message: string, code: ProblemCode = 'HR_CONFIG_UNREADABLE'): Found => ({ code, message, file })
  const extension = extname(file).toLowerCase()
  const format = FORMATS[extension]
  try {
    const status = statSync(file)
    if (status.isDirectory()) return refused('this is a folder: --config names the file in it')
    if (format === undefined) {
      const got = extension === '' ? 'this one has no extension' : `not '${extension}'`
      return refused(`a configuration is one of ${Object.keys(FORMATS).join(', ')}; ${got}`)
    }
    // A pipe would be waited for.
    if (!status.isFile()) return refused('this is no file')
    if (status.size > MAX_BYTES) return refused('the file is larger than 1 MiB: is it a configuration?')
    // Positions count from what follows a byte order mark, in every parser and on every screen.
    return { file, format, text: readFileSync(file, 'utf8').replace(/^\uFEFF/, '') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return refused(notFound(file), 'HR_CONFIG_NOT_FOUND')
    if (code === 'EACCES') return refused('the file may not be read by this user (EACCES)')
    return refused(`the file cannot be read: ${code}`)
  }
}

/** Says what else is in the folder that could have been meant. */
function notFound(file: string): string {
  const folder = dirname(file)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return `the file does not exist, nor does its folder ${folder}`
  }
  const others = readdirSync(folder).filter((name) => FORMATS[extname(name).toLowerCase()] !== undefined)
  const stem = (name: string): string => basename(name, extname(name))
  const meant = closest(stem(file), others.map(stem))
  const near = others.find((name) => stem(name) === meant)
  return `the file does not exist in ${folder}${near === undefined ? '' : `; did you mean ${near}?`}`
}
