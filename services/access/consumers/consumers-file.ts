import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import type * as Yaml from 'yaml'
import { onDemand } from '../../lifetime/on-demand.ts'
import { faultIn, withDefaults } from '../../options/settled.ts'
import { ConsumersFileError } from '../errors.ts'
import {
  CONSUMER_NAME,
  type ConsumerOptions,
  consumerSchema,
  type ConsumersInput,
  consumersSchema,
  resolveConsumers,
} from './options.ts'

const yaml = onDemand<typeof Yaml>('yaml')

/** A few thousand consumers; what is larger is no such file. */
const MOST_BYTES = 16 * 2 ** 20
const NAME = new RegExp(CONSUMER_NAME)

/**
 * The consumers of a YAML or JSON file, in the form that `access.consumers` has; relative paths in it start from its folder.
 *
 * @param tiers those that there are; without any, a consumer's tier is for the upstream to know
 * @returns with a digest of the text
 * @throws HR_ACCESS_CONSUMERS_FILE
 */
export function readConsumersFile(
  file: string,
  tiers: readonly string[] = [],
): { consumers: ConsumerOptions[]; digest: string } {
  const text = readText(file)
  const consumers = consumersOf(text, file)
  const stray = consumers.find(({ tier }) => tiers.length > 0 && tier !== null && !tiers.includes(tier))
  // A misspelt tier would be one without limits.
  if (stray) throw new ConsumersFileError(file, `${stray.name}.tier is none of tiers, which has ${tiers.join(', ')}`)
  return { consumers, digest: hash('sha256', text) }
}

/** What tells whether a file says what was read before; `null` where it cannot be read. */
export function digestOfConsumersFile(file: string): string | null {
  try {
    return hash('sha256', readText(file))
  } catch {
    return null
  }
}

/** @param file for messages, and for the paths in it */
export function consumersOf(text: string, file: string): ConsumerOptions[] {
  let given: unknown
  try {
    // No aliases: a few of them make a document of any size.
    given = yaml().parse(text, { maxAliasCount: 0 }) ?? {}
  } catch (cause) {
    throw new ConsumersFileError(file, (cause as Error).message.split('\n', 1)[0], { cause })
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConsumersFileError(file, 'it has to be a map of consumers by their names')
  }
  const name = Object.keys(given).find((key) => !NAME.test(key))
  if (name !== undefined) throw new ConsumersFileError(file, `'${name}' is no name of a consumer`)
  const input = Object.fromEntries(
    Object.entries(given).map(([key, consumer]) => [key, withDefaults(consumerSchema, consumer ?? {})]),
  )
  const fault = faultIn(consumersSchema, input)
  if (fault !== undefined)
    throw new ConsumersFileError(file, fault.startsWith('.') ? fault.slice(1) : `as a whole${fault}`)
  const folder = dirname(file)
  return resolveConsumers(input as ConsumersInput, (path) => (isAbsolute(path) ? path : resolve(folder, path)))
}

function readText(file: string): string {
  try {
    const bytes = readFileSync(file)
    if (bytes.length > MOST_BYTES) throw new ConsumersFileError(file, 'it is larger than 16 MiB')
    return bytes.toString('utf8')
  } catch (error) {
    if (error instanceof ConsumersFileError) throw error
    throw new ConsumersFileError(file, (error as NodeJS.ErrnoException).code ?? 'it cannot be read', { cause: error })
  }
}
