import { isInnerList, parseList, type List } from 'structured-headers'
import { isUnsafe } from './invalidation.ts'
import { fieldValue, type FieldList } from './message.ts'

/** RFC 9875 §2 asks for 32 groups of 32 characters at least; more than these are passed over. */
const MAX_GROUPS = 128
const MAX_GROUP_LENGTH = 256

/**
 * The groups that a response belongs to (Cache-Groups, RFC 9875 §2), as tags: two responses share one where both their
 * origin and the string are the same (§2.1).
 * @param origin of the target URI: scheme, host and port
 */
export function groupTags(fields: FieldList, origin: string): string[] {
  return tags(fieldValue(fields, 'cache-groups'), origin)
}

/**
 * The groups that an answer makes invalid (Cache-Group-Invalidation, RFC 9875 §3), as tags; none after a safe method. What
 * falls with them makes no further group fall (§2.2.1).
 */
export function invalidatedGroupTags(method: string, fields: FieldList, origin: string): string[] {
  return isUnsafe(method) ? tags(fieldValue(fields, 'cache-group-invalidation'), origin) : []
}

/** Whether a tag is one of these. */
export function isGroupTag(tag: string): boolean {
  return tag.startsWith(PREFIX)
}

const PREFIX = 'group '

function tags(value: string | undefined, origin: string): string[] {
  return value === undefined ? [] : groups(value).map((group) => `${PREFIX}${origin} ${group}`)
}

/** A list of strings; parameters mean nothing, and a field with any other member is ignored as a whole (RFC 9651 §1.2). */
function groups(value: string): string[] {
  const found = new Set<string>()
  for (const member of parsed(value)) {
    if (isInnerList(member) || typeof member[0] !== 'string') return []
    if (found.size < MAX_GROUPS && member[0].length <= MAX_GROUP_LENGTH) found.add(member[0])
  }
  return [...found]
}

function parsed(value: string): List {
  try {
    return parseList(value)
  } catch {
    return []
  }
}
