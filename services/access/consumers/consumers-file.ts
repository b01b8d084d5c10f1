import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { ConsumersFileError } from '../errors.ts'
import { CONSUMER_NAME, type ConsumerOptions, consumerSchema, consumersSchema, resolveConsumers } from './options.ts'

/** A few thousand consumers; what is larger is no such file. */
const MOST_BYTES = 16 * 2 ** 20
const NAME = new RegExp(CONSUMER_NAME)

/**
 * The consumers of a YAML or JSON file, in the form that `access.consumers` has; relative paths in it start from its folder.
 *
 * @throws HR_ACCESS_CONSUMERS_FILE
 */
export function readConsumersFile(file: string): ConsumerOptions[] {
  return consumersOf(readText(file), file)
}

/** @param file for messages, and for the paths in it */
export function consumersOf(text: string, file: string): ConsumerOptions[] {
  let given: unknown
  try {
    // No aliases: a few of them make a document of any size.
    given = parse(text, { maxAliasCount: 0 }) ?? {}
  } catch (cause) {
    throw new ConsumersFileError(file, (cause as Error).message.split('\n', 1)[0], { cause })
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConsumersFileError(file, 'it has to be a map of consumers by their names')
  }
  const name = Object.keys(given).find((key) => !NAME.test(key))
  if (name !== undefined) throw new ConsumersFileError(file, `'${name}' is no name of a consumer`)
  // Defaults are filled in one by one: of a record the library leaves them out.
  const input = Object.fromEntries(
    Object.entries(given).map(([key, consumer]) => [key, Value.Default(consumerSchema, consumer ?? {})]),
  )
  if (!Value.Check(consumersSchema, input)) throw new ConsumersFileError(file, faultOf(input))
  const folder = dirname(file)
  return resolveConsumers(input, (path) => (isAbsolute(path) ? path : resolve(folder, path)))
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

/** The first thing that is wrong, without the value: it may be a secret. */
function faultOf(input: unknown): string {
  const [first] = Value.Errors(consumersSchema, input)
  if (first === undefined) return 'it has another form than access.consumers'
  const place = first.instancePath.slice(1).replaceAll('/', '.')
  return `${place === '' ? 'as a whole' : place} ${first.message}`
}
