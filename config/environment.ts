import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Path } from './problem.ts'
import { isRecord } from './value.ts'

/** Variables by name; one that is empty counts as not set. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The environment as a configuration sees it. */
export interface Environment {
  /** Those of `.env` too, where the process's own environment does not have them. */
  variables: Variables
  /** The value; `undefined` where the variable is not set or empty. */
  get(name: string): string | undefined
  /** Where a variable comes from, for a message. */
  originOf(name: string): 'environment' | '.env'
  /** Where a `.env` is, or would be. */
  file: string
}

/** The environment of this process: the only place that reads it for the gateway. */
export function processEnvironment(): Variables {
  return process.env
}

/** @param folder where a `.env` file may lie: beside the configuration file. @throws the system's error for one that cannot be read */
export function readEnvironment(folder: string, own: Variables): Environment {
  const path = join(folder, '.env')
  const file = readDotenv(path)
  const isSet = (name: string): boolean => (own[name] ?? '') !== ''
  const variables: Record<string, string | undefined> = { ...file }
  for (const [name, value] of Object.entries(own)) if (isSet(name) || !(name in file)) variables[name] = value
  return {
    variables,
    get: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined) || undefined,
    originOf: (name) => (isSet(name) ? 'environment' : '.env'),
    file: path,
  }
}

function readDotenv(file: string): Variables {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EISDIR') return {}
    throw error
  }
}

/** A variable that works with any configuration, and with none. */
export interface WellKnownVariable {
  name: string
  /** The option of the command line that means the same, without its dashes. */
  flag?: string
  description: string
  /** The properties that it sets. */
  places: (raw: Record<string, unknown>) => Path[]
}

/** A property of the first listener, whether `listen` is one or several. */
export const firstListener = (raw: Record<string, unknown>, property: string): Path[] => [
  ['listen', ...(Array.isArray(raw.listen) ? [0] : []), property],
]

/** Every well-known variable; docs/configuration.md lists them. A later one is one more entry. */
export const WELL_KNOWN: readonly WellKnownVariable[] = [
  {
    name: 'HOST',
    flag: 'host',
    description: 'Address of the first listener (`listen.host`)',
    places: (raw) => firstListener(raw, 'host'),
  },
  {
    name: 'PORT',
    flag: 'port',
    description: 'Port of the first listener (`listen.port`)',
    places: (raw) => firstListener(raw, 'port'),
  },
  {
    name: 'HTTP_MAX_CONNECTIONS',
    description: 'Connections a target of each upstream that does not say so itself (`upstreams.*.connections`)',
    places: (raw) =>
      Object.entries(isRecord(raw.upstreams) ? raw.upstreams : {})
        .filter(([, upstream]) => isRecord(upstream) && (upstream.connections ?? null) === null)
        .map(([name]) => ['upstreams', name, 'connections']),
  },
  {
    name: 'REDIS_URL',
    description: 'Where Redis or Valkey is (`redis.url`)',
    places: () => [['redis', 'url']],
  },
  {
    name: 'REDIS_MAX_CONNECTIONS',
    description: 'Connections to it a process (`redis.maxConnections`)',
    places: () => [['redis', 'maxConnections']],
  },
  {
    name: 'ENABLE_MEMORY_CACHE',
    description: 'Keep cached answers in memory: true or false (`cache.memory.enabled`)',
    places: () => [['cache', 'memory', 'enabled']],
  },
  {
    name: 'ENABLE_REDIS_CACHE',
    description: 'Keep cached answers in Redis: true or false (`cache.redis.enabled`)',
    places: () => [['cache', 'redis', 'enabled']],
  },
  {
    name: 'HEADRACE_ADMIN_TOKEN',
    description: 'Bearer token of the control plane (`admin.token`)',
    places: (raw) => (raw.admin === false ? [] : [['admin', 'token']]),
  },
  {
    name: 'HEADRACE_DATA_DIR',
    description: 'Folder of what the gateway keeps (`dataDir`)',
    places: () => [['dataDir']],
  },
  {
    name: 'LOG_LEVEL',
    flag: 'log-level',
    description: "Least severity that is logged, or 'silent' (`log.level`)",
    places: () => [['log', 'level']],
  },
]
