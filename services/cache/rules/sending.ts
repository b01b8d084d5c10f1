import type { SendOptions } from '../send-options.ts'
import { parseCacheControl } from './cache-control.ts'
import { fieldValue, type FieldList } from './message.ts'
import { isOwnTag } from './own-tags.ts'
import { parseTargeted, TARGETED_FIELDS } from './targeted.ts'
import { varyNames } from './vary.ts'

/** One field that a route says in place of the origin: text and lifetimes in turn (`'max-age='`, `60`, `', immutable'`). */
export interface Control {
  readonly name: 'cache-control' | 'cdn-cache-control'
  readonly pieces: readonly (string | number)[]
}

/** A route's `send`, compiled; what belongs to the key beside the URL is said in Vary, for caches further on. */
export interface SendPolicy {
  readonly options: SendOptions
  readonly controls: readonly Control[]
  /** Request fields by which answers are chosen here, whatever the origin says: in lower case. */
  readonly vary: readonly string[]
}

/** What clients are told of a response. */
export interface Told {
  readonly fields: readonly string[]
  /** Whose lifetimes count from when a client gets it: they come on top, see {@link addControls}. */
  readonly controls: readonly Control[]
}

/** @returns `null` where clients are told what the origin says */
export function compileSend(
  options: SendOptions,
  varyBy: { headers: readonly string[]; cookies: readonly string[] },
): SendPolicy | null {
  const { cacheControl, cdnCacheControl, tags } = options
  const controls: Control[] = []
  if (cacheControl !== null) controls.push({ name: 'cache-control', pieces: piecesOf(cacheControl) })
  if (cdnCacheControl !== null) controls.push({ name: 'cdn-cache-control', pieces: piecesOf(cdnCacheControl) })
  const vary = varyBy.cookies.length > 0 ? [...varyBy.headers, 'cookie'] : varyBy.headers
  return controls.length === 0 && tags === 'origin' && vary.length === 0 ? null : { options, controls, vary }
}

function piecesOf(text: string): (string | number)[] {
  return text
    .split(/((?<=(?:^|, *)(?:max-age|s-maxage)=)\d+)/)
    .map((piece, i) => (i % 2 === 1 ? Number(piece) : piece))
    .filter((piece) => piece !== '')
}

/** What a response is, to those who are told of it. */
export interface Telling {
  status: number
  /** The origin's fields. */
  fields: FieldList
  tags: readonly string[]
  /** Others may have it: only then it is said how to keep it, and by what it is purged. */
  isShared: boolean
  /** It may be used for a while without asking the origin, here too. */
  isGiven: boolean
}

/**
 * The fields that clients get. What the origin does not give to shared caches keeps the origin's own Cache-Control, so
 * that none behind this one keeps it either: an answer to credentials, what is private or not to be stored by anybody
 * (whoever a targeted field lets store it), what sets a cookie, what is to be validated each time, and errors.
 */
export function tell({ options, controls, vary }: SendPolicy, telling: Telling): Told {
  const { fields, isShared } = telling
  const said = isShared && telling.isGiven && telling.status < 400 && isOpen(fields) ? controls : NONE
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (!isReplaced(name, said, options)) kept.push(name, fields[i + 1] as string)
  }
  if (isShared) addShared(kept, { options, vary, tags: telling.tags })
  for (const { name, pieces } of said)
    if (pieces.every((piece) => typeof piece === 'string')) kept.push(name, pieces.join(''))
  return { fields: kept, controls: said.filter(({ pieces }) => pieces.some((piece) => typeof piece === 'number')) }
}

const NONE: readonly Control[] = []

function isReplaced(name: string, said: readonly Control[], { tags }: SendOptions): boolean {
  if (name === 'surrogate-key' || name === 'cache-tag') return tags !== 'origin'
  if (said.length === 0) return false
  if (name === 'expires' || name === 'pragma') return said[0]?.name === 'cache-control'
  return said.some((control) => control.name === name)
}

function addShared(
  fields: string[],
  { options, vary, tags }: Pick<SendPolicy, 'options' | 'vary'> & Pick<Telling, 'tags'>,
): void {
  const known = varyNames(fields)
  const missing = known === '*' ? [] : vary.filter((name) => !known.includes(name))
  if (missing.length > 0) fields.push('vary', missing.join(', '))
  if (options.tags !== 'surrogate-key' && options.tags !== 'cache-tag') return
  const value = joinedTags(
    tags,
    options.tags === 'surrogate-key' ? /[\s,]/ : /,/,
    options.tags === 'cache-tag' ? ',' : ' ',
  )
  if (value !== '') fields.push(options.tags, value)
}

/** What content networks take in one field. */
const MOST_TAG_BYTES = 16_384

/** @param unfit tags with such a character in them cannot be said */
function joinedTags(tags: readonly string[], unfit: RegExp, separator: string): string {
  let joined = ''
  for (const tag of tags) {
    if (isOwnTag(tag) || unfit.test(tag) || !FIELD_TEXT.test(tag)) continue
    if (joined.length + separator.length + tag.length > MOST_TAG_BYTES) break
    joined += joined === '' ? tag : separator + tag
  }
  return joined
}

const FIELD_TEXT = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

/** Whether nothing in the head keeps it from shared caches, in whichever field that is said. */
function isOpen(fields: FieldList): boolean {
  if (fieldValue(fields, 'set-cookie') !== undefined) return false
  for (const name of TARGETED_FIELDS) {
    const value = fieldValue(fields, name)
    const directives = value === undefined ? undefined : parseTargeted(value)
    if (directives !== undefined && isClosed(directives)) return false
  }
  return !isClosed(parseCacheControl(fieldValue(fields, 'cache-control')))
}

const isClosed = (directives: ReturnType<typeof parseCacheControl>): boolean =>
  directives.noStore || directives.private || directives.privateFields.length > 0 || directives.noCacheFields.length > 0

/**
 * Adds what a route says of how long an answer may be kept. A client counts lifetimes from the Age that it is told, and
 * the route means them from now on. What is stale here is stale for others, too.
 *
 * @param age in seconds, as the answer says it; `null` for what is stale
 */
export function addControls(own: string[], controls: readonly Control[], age: number | null): void {
  for (const { name, pieces } of controls) {
    let value = ''
    for (const piece of pieces) value += typeof piece === 'string' ? piece : age === null ? 0 : piece + age
    own.push(name, value)
  }
}
