import { readFileSync } from 'node:fs'

/** The version of this package, from its manifest: beside the sources, or above the compiled files. */
export const VERSION: string = readVersion()

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version: string
      }
      if (manifest.name === 'headrace') return manifest.version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return '0.0.0'
}
