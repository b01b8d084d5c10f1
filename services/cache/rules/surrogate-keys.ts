import { fieldLines, type FieldList } from './message.ts'
import { isOwnTag } from './own-tags.ts'

/** Of one response, and characters in each: what the content networks take that read these fields. */
const MOST_TAGS = 500
const LONGEST_TAG = 1024

/**
 * The tags that an origin gives a response: `Surrogate-Key`, separated by spaces (Edge Architecture 1.0; Fastly), and
 * `Cache-Tag`, separated by commas (Cloudflare, Akamai, Netlify). No standard defines either. Further ones, and longer
 * ones, are passed over.
 */
export function surrogateKeys(fields: FieldList): string[] {
  const keys = fieldLines(fields, 'surrogate-key')
  const tags = fieldLines(fields, 'cache-tag')
  if (keys.length + tags.length === 0) return []
  const found = new Set<string>()
  // A comma within a key belongs to it; origins that were made for other caches put one behind each.
  for (const line of keys) for (const key of line.split(/[ \t]+/)) add(found, key.replace(/,+$/, ''))
  for (const line of tags) for (const tag of line.split(',')) add(found, tag.trim())
  return [...found]
}

function add(found: Set<string>, tag: string): void {
  if (tag === '' || tag.length > LONGEST_TAG || found.size >= MOST_TAGS || isOwnTag(tag)) return
  found.add(tag)
}
