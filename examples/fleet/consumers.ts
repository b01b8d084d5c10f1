import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeKey } from '../../services/access/key/api-key.ts'
import { makeDataFolder, makeFolder } from '../../services/data-dir/folder.ts'

/** Who calls the fleet API; how often each may is said by its tier, in headrace.config.ts. */
const CONSUMERS = {
  dispatch: { tier: 'gold', groups: ['operators'] },
  workshop: { tier: 'silver', groups: ['workshop'] },
  reports: { tier: 'bronze', groups: [] },
} as const

export type ConsumerName = keyof typeof CONSUMERS

const OWNER_ONLY = 0o600

/**
 * Makes a key for each consumer, once: the gateway's file has their hashes, and beside it stands each key for whoever tries
 * the example. Readable by their owner only.
 *
 * @param dataDir absolute
 * @returns the file of the consumers
 * @throws HR_CONTROL_DATA_DIR, or the system's error
 */
export function makeConsumers(dataDir: string): string {
  const folder = join(dataDir, 'fleet')
  const file = join(folder, 'consumers.json')
  if (existsSync(file)) return file
  makeDataFolder(dataDir)
  makeFolder(folder)
  const consumers: Record<string, unknown> = {}
  for (const [name, consumer] of Object.entries(CONSUMERS)) {
    const { id, key, hash } = makeKey()
    writeFileSync(keyFileOf(dataDir, name as ConsumerName), `${key}\n`, { mode: OWNER_ONLY })
    consumers[name] = { ...consumer, keys: [{ id, hash }] }
  }
  writeFileSync(file, `${JSON.stringify(consumers, null, 2)}\n`, { mode: OWNER_ONLY })
  return file
}

/** Where the key of a consumer stands. */
export function keyFileOf(dataDir: string, name: ConsumerName): string {
  return join(dataDir, 'fleet', `${name}.key`)
}

/** @throws the system's error */
export function readKey(dataDir: string, name: ConsumerName): string {
  return readFileSync(keyFileOf(dataDir, name), 'utf8').trim()
}
