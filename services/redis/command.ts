import { hash } from 'node:crypto'

export type Argument = string | number | Buffer

/** A Lua script, known to the server by its digest. */
export interface Script {
  readonly source: string
  readonly sha: string
}

export function script(source: string): Script {
  return { source, sha: hash('sha1', source) }
}

/** A command in lower case with its arguments, the first of them a key; or a script with its keys, all of one slot. */
export type Command =
  | readonly [name: string, ...args: Argument[]]
  | { readonly script: Script; readonly keys: readonly string[]; readonly args: readonly Argument[] }

/** Texts come as Buffers, numbers as numbers; what failed is an Error in its place. */
export type Reply = unknown

export type Call = readonly [name: string, ...args: Argument[]]

/** @param how `eval` sends the whole script along */
export function callOf(command: Command, how: 'evalsha' | 'eval'): Call {
  if (!('script' in command)) return command
  const { script, keys, args } = command
  return [how, how === 'eval' ? script.source : script.sha, keys.length, ...keys, ...args]
}

/** A server that has restarted, or is another one, does not know the script: it has done nothing. */
export function isUnknownScript(reply: Reply): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT')
}

/** Text of a reply; `null` for nothing. */
export function textOf(reply: Reply): string | null {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8')
  return typeof reply === 'string' ? reply : null
}

/** @throws the first error among them */
export function orThrow(replies: readonly Reply[]): readonly Reply[] {
  for (const reply of replies) if (reply instanceof Error) throw reply
  return replies
}
