import { isGroupTag } from './groups.ts'

/** Tags that the cache itself makes: nobody gives them to an answer, and nobody is told them. */
export function isOwnTag(tag: string): boolean {
  return isGroupTag(tag) || isUrlTag(tag)
}

const URL_PREFIX = 'url '

export function isUrlTag(tag: string): boolean {
  return tag.startsWith(URL_PREFIX)
}

/** The tag of what a purge of this URL covers, though it is not the one in its key. */
export function urlTag(url: string): string {
  return URL_PREFIX + url
}
