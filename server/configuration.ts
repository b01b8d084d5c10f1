import { isAbsolute, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { differences } from '../config/differences.ts'
import { effectOf } from '../config/effects.ts'
import { digestFiles, namedFiles } from '../config/files.ts'
import type { Loaded, ValidConfig } from '../config/load.ts'
import { formatPath } from '../config/problem.ts'
import { redact } from '../config/redact.ts'
import type { Settings } from '../config/schema.ts'
import type { Candidate, LoadResult } from '../services/configuration/reloader.ts'
import type { ConfigChange } from '../services/configuration/report.ts'

/** Where a configuration comes from, and can be had again. */
export interface ConfigSource {
  /** As it was loaded. */
  loaded: ValidConfig
  /** Loads it once more. */
  load(): Promise<Loaded>
}

/** A configuration with what is needed to compare it with another. */
export interface Configuration extends Candidate {
  config: Config
  /** `null` for one that was handed over resolved: of it, only files can be told to have changed. */
  settings: Settings | null
  /** Of the files that it names, by the property. */
  digests: ReadonlyMap<string, string>
  /** Absolute: all that a change of it can come from. */
  files: readonly string[]
}

export function configurationOf({
  config,
  settings,
  sources,
}: Pick<ValidConfig, 'config' | 'settings' | 'sources'>): Configuration {
  const toPath = (path: string): string => (isAbsolute(path) ? path : resolve(config.root, path))
  const named = namedFiles(settings).filter(({ live }) => live !== true)
  return {
    config,
    settings,
    shown: redact(settings),
    digests: digestFiles(settings, toPath),
    files: [...sources, ...named.map(({ file }) => toPath(file))],
  }
}

/** One that has no source to be loaded from again. */
export function bareConfiguration(config: Config): Configuration {
  return { config, settings: null, shown: null, digests: new Map(), files: [] }
}

export async function loadAgain(source: ConfigSource): Promise<LoadResult<Configuration>> {
  const loaded = await source.load()
  return loaded.ok ? { ok: true, candidate: configurationOf(loaded) } : { ok: false, problems: loaded.problems }
}

/** What is different, and what it takes to have it. */
export function compareConfigurations(before: Configuration, after: Configuration): ConfigChange[] {
  if (before.settings === null || after.settings === null) return []
  const processes = { before: before.config.processes, after: after.config.processes }
  const changes = differences(before.settings, after.settings).map(
    (difference): ConfigChange => ({
      ...difference,
      path: formatPath(difference.path),
      effect: effectOf(difference, processes),
    }),
  )
  for (const { path: place, file } of namedFiles(after.settings)) {
    const path = formatPath(place)
    const known = before.digests.get(path)
    if (known === undefined || known === after.digests.get(path)) continue
    // Another file has another content, as a rule: that it is named is the change.
    if (changes.some((change) => isWithin(path, change.path))) continue
    const effect = place[0] === 'listen' ? 'certificates' : 'reload'
    changes.push({ path, kind: 'file', before: file, after: file, effect })
  }
  return changes
}

/** Whether a property is another, or a part of it. */
function isWithin(path: string, other: string): boolean {
  return path.startsWith(other) && /^($|[.[])/.test(path.slice(other.length))
}
