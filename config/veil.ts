import type { Complaint, Path } from './problem.ts'
import { configSchema } from './schema.ts'
import type { SchemaNode } from './settle.ts'
import { stars, withoutPasswords } from './value.ts'

/** A list, a text in quotes, or what stands up to the next separator; a reference to the environment says nothing. */
const VALUE = String.raw`(?!\$\{|env\()(?:\[[^\]]*\]?|"(?:[^"\\]|\\.)*"?|'[^']*'?|\x60[^\x60]*\x60?|[^\s,}\]#][^,}\]]*)`

export interface VeiledLine {
  /** Where what is wrong begins in it, and its length. */
  offset: number
  length: number
  path: Path
  /** It may be a secret, wherever it stands. */
  secret?: boolean
  /** Names that were probably meant for those of secrets: {@link misspeltSecrets}. */
  misspelt: readonly string[]
}

/**
 * A line of a configuration as it may be shown in terminals, logs and tickets: secrets in it are stars, as many as they have
 * characters, so that everything else stays in its place.
 */
export function veiled(line: string, { offset, length, path, secret = false, misspelt }: VeiledLine): string {
  const names = secretNames()
  let text = withoutPasswords(line)
  if (secret || path.slice(0, -1).some((part) => names.has(String(part)))) {
    text = text.slice(0, offset) + stars(text.slice(offset, offset + length)) + text.slice(offset + length)
  }
  for (const name of [...names, ...misspelt]) {
    const value = new RegExp(`(?<![\\w-])((["']?)${RegExp.escape(name)}\\2\\s*:\\s*)(${VALUE})`, 'g')
    text = text.replace(value, (_, before: string, _quote, secret: string) => before + stars(secret))
  }
  return text
}

/** A secret under a name that is nearly its own is a secret, whatever else is wrong on its line. */
export function misspeltSecrets(complaints: readonly Complaint[]): string[] {
  const names = secretNames()
  return complaints
    .filter(({ suggestion }) => suggestion !== undefined && names.has(suggestion))
    .map(({ path }) => String(path.at(-1)))
}

let known: ReadonlySet<string> | undefined

/** Names of properties that are secrets wherever the schema has them, so that one in a wrong place is one as well. */
function secretNames(): ReadonlySet<string> {
  if (known === undefined) {
    const found = { secret: new Set<string>(), other: new Set<string>() }
    collect(configSchema as SchemaNode, found)
    known = found.secret.difference(found.other)
  }
  return known
}

function collect(node: SchemaNode, found: { secret: Set<string>; other: Set<string> }): void {
  for (const [name, part] of Object.entries(node.properties ?? {})) {
    const isSecret = part.secret === true || part.items?.secret === true
    found[isSecret ? 'secret' : 'other'].add(name)
  }
  const parts = [...Object.values(node.properties ?? {}), ...Object.values(node.patternProperties ?? {})]
  for (const part of [...parts, ...(node.anyOf ?? []), ...(node.items === undefined ? [] : [node.items])]) {
    collect(part, found)
  }
}
