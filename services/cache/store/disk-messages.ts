import type { CacheDiskParcel, CacheDiskPurge } from '../../../workers/protocol.ts'
import { isAnyHost, type Selector, urlOf } from './selector.ts'

/** From here on a response has a buffer of its own, which is handed over instead of copied. */
const LARGE_BYTES = 32 * 1024
/** SQLite takes no pattern longer than 50,000 bytes; with a longer one everything is purged. */
const MAX_PATTERN = 10_000

/** Several responses for the thread, and which buffers change hands. */
export function pack(values: readonly Uint8Array[]): { parcel: CacheDiskParcel; transfer: ArrayBuffer[] } {
  let bytes = 0
  for (const { length } of values) if (length < LARGE_BYTES) bytes += length
  const packed = new Uint8Array(bytes)
  const large: Uint8Array[] = []
  let at = 0
  for (const value of values) {
    if (value.length >= LARGE_BYTES) {
      // Of a larger buffer only its part may go.
      large.push(value.length === value.buffer.byteLength ? value : Uint8Array.prototype.slice.call(value))
    } else {
      packed.set(value, at)
      at += value.length
    }
  }
  const transfer = [packed, ...large].map(({ buffer }) => buffer as ArrayBuffer)
  return { parcel: { packed, large, largeFrom: LARGE_BYTES }, transfer }
}

/** What a selector is in the database. */
export function purgeOf(selector: Selector): Pick<CacheDiskPurge, 'scope' | 'value' | 'url'> {
  switch (selector.kind) {
    case 'key':
      return { scope: 'key', value: selector.key, url: urlOf(selector.key) }
    case 'url':
      return isAnyHost(selector.url) ? globOf(escaped(selector.url)) : { scope: 'url', value: selector.url, url: '' }
    case 'tag':
      return { scope: 'tag', value: selector.tag, url: '' }
    case 'all':
      return globOf('*')
    case 'prefix':
      return globOf(`${escaped(selector.prefix)}*`)
    case 'pattern':
      return globOf(selector.pattern.replace(/[[?]/g, '[$&]').replace(/\*+/g, '*'))
  }
}

function escaped(text: string): string {
  return text.replace(/[[?*]/g, '[$&]')
}

function globOf(glob: string): Pick<CacheDiskPurge, 'scope' | 'value' | 'url'> {
  if (glob.length > MAX_PATTERN) return { scope: 'glob', value: '*', url: '' }
  return { scope: isAnyHost(glob) ? 'path' : 'glob', value: glob, url: '' }
}

/** SQLite takes a broken character for another, and text functions end at NUL: two such keys could be one to it. */
export function isStorableKey(key: string): boolean {
  return key.isWellFormed() && !key.includes('\0')
}
