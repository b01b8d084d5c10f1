/** Whether a media type, without parameters and in lower case, is one of a list. */
export type MediaTypes = (type: string) => boolean

/**
 * An event stream may stand for hours, and each coder holds up to a MiB for as long: `text/*` does not mean it, only its
 * name does.
 */
const BY_NAME_ALONE = 'text/event-stream'

/**
 * Compiles a list of media types; a `*` stands for any text: `text/*`, `application/*+json`, `application/json`.
 */
export function compileMediaTypes(patterns: readonly string[]): MediaTypes {
  const exact = new Set<string>()
  const open: RegExp[] = []
  for (const pattern of patterns) {
    if (!pattern.includes('*')) exact.add(pattern.toLowerCase())
    else open.push(new RegExp(`^${pattern.toLowerCase().split('*').map(escaped).join('[^/]*')}$`))
  }
  return (type) => exact.has(type) || (type !== BY_NAME_ALONE && open.some((pattern) => pattern.test(type)))
}

const escaped = (text: string): string => text.replaceAll(/[.+^$|()[\]{}?\\]/g, '\\$&')
