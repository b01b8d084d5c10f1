import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/**
 * The environment of a thread of ours, which is told otherwise what it needs to know: nothing of the process's but where
 * Node keeps compiled code, when it does (https://nodejs.org/api/module.html#module-compile-cache). Without that, a thread
 * that is written in TypeScript takes three times as long to start.
 */
export function threadEnvironment(): Record<string, string> {
  // Within the folder that Node was given it has one for each of its versions.
  const ofVersion = getCompileCacheDir()
  return ofVersion === undefined ? {} : { NODE_COMPILE_CACHE: dirname(ofVersion) }
}
