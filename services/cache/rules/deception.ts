import { mediaTypeOf } from '../../http/media-type.ts'
import { fieldValue, type FieldList } from './message.ts'

/** What files with these endings are, as servers mark them; endings that are not here say nothing. */
const TYPES: [endings: string, type: RegExp][] = [
  ['apng avif bmp gif ico jpeg jpg jxl pict png svg svgz tif tiff webp', /^image\//],
  ['css', /^text\/css$/],
  ['js mjs', /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript)$/],
  ['json jsonld map webmanifest', /^(?:text|application)\/(?:[a-z0-9.-]+\+)?json$/],
  ['eot otf ttf woff woff2', /^(?:font\/|application\/(?:x-)?font-|application\/vnd\.ms-fontobject$)/],
  ['aac aif aiff flac m4a mid midi mp3 mp4 m4v mkv mov avi oga ogg ogv opus wav webm', /^(?:audio|video)\/|\/ogg$/],
  ['pdf', /^application\/pdf$/],
  ['csv', /^(?:text|application)\/csv$|^text\/plain$/],
  ['txt', /^text\/plain$/],
  ['xml rss atom', /^(?:text|application)\/(?:[a-z0-9.-]+\+)?xml$/],
  ['wasm', /^application\/wasm$/],
  ['doc docx odp ods odt ppt pptx ps xls xlsx eps swf', /^application\/(?!json$|xhtml)/],
  ['7z apk bin bz2 class dmg ear exe gz iso jar rar tar tgz war xz zip zst', /^application\/(?!json$|xhtml)/],
]

const BY_ENDING = new Map(
  TYPES.flatMap(([endings, type]) => endings.split(' ').map((ending) => [ending, type] as const)),
)

/** Bytes of any kind: no page is marked so. */
const UNSPECIFIC = /^(?:application|binary)\/octet-stream$/

/**
 * Web cache deception: `/account/x.css` shows many an application's `/account`, and a cache that takes it for a style sheet
 * gives one client's page to all. Whether the ending of a path says another type of content than the answer does; a type
 * that is missing is another one.
 *
 * @param path canonical
 */
export function isDisguised(path: string, { status, fields }: { status: number; fields: FieldList }): boolean {
  const expected = BY_ENDING.get(endingOf(path))
  if (expected === undefined || status === 204) return false
  const given = fieldValue(fields, 'content-type')
  // A redirection need not have content.
  if (given === undefined) return status < 300 || status > 399
  const type = mediaTypeOf(given)
  return !expected.test(type) && !UNSPECIFIC.test(type)
}

/** In lower case, of the last segment, less its parameters: applications cut at `;` as they do at `/`. */
function endingOf(path: string): string {
  const segment = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const ending = segment.slice(segment.lastIndexOf('.') + 1)
  if (BY_ENDING.has(ending)) return ending
  const [before = ''] = segment.split(';', 1)
  return before.slice(before.lastIndexOf('.') + 1)
}
