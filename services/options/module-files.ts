import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** More files than any hook is made of. */
const MOST = 1_000

/** `from './a.ts'`, `import './a.ts'`, `import('./a.ts')` and `require('./a')`, of files that are named relative or in full. */
const IMPORTED = /\b(?:from|import|require)\s*\(?\s*(['"`])((?:\.{1,2}\/|\/|file:)[^'"`\n$]+)\1/g
const CODE = /\.[cm]?[jt]s$/
/** What CommonJS leaves out. */
const LEFT_OUT = ['', '.js', '.cjs', '.json', '.ts', '.cts', '/index.js', '/index.cjs']

/**
 * A module's file and those that it imports, and they; packages are left out, and so is what only running it would tell. Its text
 * is looked at and not its syntax: an import in a comment counts, which costs a look at a file, and none is missed for
 * being written in a newer language.
 *
 * @param file absolute
 * @returns absolute paths, its own first; whether or not they can be read
 */
export function moduleFiles(file: string): string[] {
  const found = new Set([file])
  for (const one of found) {
    if (found.size >= MOST) break
    for (const other of importsOf(one)) found.add(other)
  }
  return [...found]
}

/** Of all that a module is made of. @throws where its own file cannot be read */
export function digestModule(file: string): string {
  readFileSync(file)
  const all = createHash('sha256')
  for (const one of moduleFiles(file)) all.update(`${one}\0${digestFile(one)}\0`)
  return all.digest('base64url')
}

/** Empty for one that cannot be read. */
export function digestFile(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('base64url')
  } catch {
    return ''
  }
}

function importsOf(file: string): string[] {
  if (!CODE.test(file)) return []
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  return [...text.matchAll(IMPORTED)].flatMap(([, , specifier = '']) => pathOf(specifier, pathToFileURL(file)) ?? [])
}

/** `undefined` where the specifier can be no file's. */
function pathOf(specifier: string, base: URL): string | undefined {
  try {
    // Without its query: the same file may be there under several.
    return existing(fileURLToPath(new URL(new URL(specifier, base).pathname, base)))
  } catch {
    return undefined
  }
}

/** The file that is meant; as it is written where there is none. */
function existing(path: string): string {
  const isFile = (one: string): boolean => statSync(one, { throwIfNoEntry: false })?.isFile() === true
  const found = LEFT_OUT.map((end) => path + end).find(isFile)
  return found ?? path
}
