import type { PurgeMode } from '../purge-mode.ts'
import { type PurgeRequest, selectorOf } from '../purge-request.ts'
import type { Selector } from '../store/selector.ts'
import { CacheOptionError } from './errors.ts'
import { storeKey, storePattern } from './key.ts'

/** What a program purges: exactly one of these. */
export interface ValuePurge extends PurgeRequest {
  /** A value. */
  key?: string
  /**
   * Values whose key fits (`vehicle:*`); written as a URL or a path (`/vehicles*`), answers whose URL fits as well.
   * `*` stands for any characters.
   */
  pattern?: string
  /** `hard` (default) drops what is stored; `soft` marks it as stale, to be served where the options allow that. */
  mode?: PurgeMode
}

const URL_LIKE = /^(\/|(https?|\*):\/\/)/i
/** Characters. No key and no URL is longer. */
const LONGEST = 16_384

/** What the stores call it. @throws HR_CACHE_OPTION, HR_CACHE_KEY, HR_CACHE_SELECTOR, HR_CACHE_TARGET */
export function selectorsOf({ mode, key, ...request }: ValuePurge): Selector[] {
  if (mode !== undefined && mode !== 'hard' && mode !== 'soft') {
    throw new CacheOptionError(`the mode of a purge is '${String(mode)}'; it may be 'hard' or 'soft'`)
  }
  const named = Object.entries(request).filter(([, value]) => value !== undefined && value !== false)
  for (const [name, text] of named) {
    if (name === 'all' || (typeof text === 'string' && text !== '' && text.length <= LONGEST)) continue
    throw new CacheOptionError(`the ${name} of a purge is no text of 1 to ${LONGEST} characters`)
  }
  if (key !== undefined) {
    if (named.length === 0) return [{ kind: 'key', key: storeKey(key) }]
    throw new CacheOptionError('a purge names a key and something else; make two of it')
  }
  const { pattern } = request
  // What names several is refused like what names nothing.
  if (pattern === undefined || named.length > 1) return [selectorOf(request)]
  const values: Selector = { kind: 'pattern', pattern: storePattern(pattern) }
  return URL_LIKE.test(pattern) ? [values, selectorOf(request)] : [values]
}
