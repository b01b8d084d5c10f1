import { fieldLines, type ResponseHead } from './message.ts'

/** Methods that the registry calls safe (RFC 9110 §9.2.1, §18.2); they are case-sensitive. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])

/** `true` for a method that may change state: any that is not known to be safe (RFC 9111 §4.4). */
export function isUnsafe(method: string): boolean {
  return !SAFE.has(method)
}

/**
 * The URIs whose stored responses, all variants of them, an answer makes invalid (RFC 9111 §4.4): after a success or a
 * redirection of an unsafe method the target, and what Location and Content-Location name on the target's origin. Others'
 * are never touched, so that no origin empties another's cache.
 * @param target absolute, as in the request; it comes first
 */
export function invalidatedUris(method: string, target: string, answer: ResponseHead): string[] {
  if (!isUnsafe(method) || answer.status < 200 || answer.status > 399) return []
  const uris = new Set([target])
  for (const name of ['location', 'content-location']) {
    for (const reference of fieldLines(answer.fields, name)) {
      const uri = sameOriginUri(reference, target)
      if (uri !== undefined) uris.add(uri)
    }
  }
  return [...uris]
}

function sameOriginUri(reference: string, target: string): string | undefined {
  if (!URL.canParse(reference, target)) return undefined
  const uri = new URL(reference, target)
  if (uri.origin === 'null' || uri.origin !== new URL(target).origin) return undefined
  uri.hash = ''
  return uri.href
}
