import { canonicalTarget } from '../http/canonical-path.ts'
import { parseAuthority } from '../http/host.ts'
import { CacheSelectorError, CacheTargetError } from './errors.ts'
import { type Selector, withoutDefaultPort } from './store/selector.ts'

/** What people name: exactly one of these. URLs as they know them, paths for every scheme and host. */
export interface PurgeRequest {
  url?: string
  prefix?: string
  /** `*` stands for any characters, also none and also `/`. */
  pattern?: string
  tag?: string
  all?: boolean
}

const KINDS = ['url', 'prefix', 'pattern', 'tag', 'all'] as const

/**
 * The selector of a purge, in the form that keys have.
 *
 * @throws CacheSelectorError where none or several are named; CacheTargetError for what cannot be the URL of a key
 */
export function selectorOf(request: PurgeRequest): Selector {
  const named = KINDS.filter((kind) => request[kind] !== undefined && request[kind] !== false)
  const [kind] = named
  if (kind === undefined || named.length > 1) {
    throw new CacheSelectorError(named.length === 0 ? 'none of them' : named.join(' and '))
  }
  switch (kind) {
    case 'all':
      return { kind }
    case 'tag':
      return { kind, tag: request.tag as string }
    case 'url':
      return { kind, url: canonicalUrl(request.url as string) }
    case 'prefix':
      return { kind, prefix: canonicalUrl(request.prefix as string) }
    case 'pattern':
      return { kind, pattern: canonical(request.pattern as string, PATTERN) }
  }
}

/**
 * A URL as keys have it: host in lower case, no default port, the path as routing sees it (`/%61` is `/a`), the query as
 * given. A path stays a path, and stands for every scheme and host.
 *
 * @throws CacheTargetError
 */
export function canonicalUrl(text: string): string {
  return canonical(text, URL_FORM)
}

/** Scheme, authority, the rest. */
const URL_FORM = /^(https?):\/\/([^/?#]*)([^]*)$/i
const PATTERN = /^(https?|\*):\/\/([^/?#]*)([^]*)$/i

function canonical(text: string, form: RegExp): string {
  if (text.startsWith('/')) return canonicalPath(text, text)
  const [, scheme, host = '', rest = ''] = form.exec(text) ?? []
  if (scheme === undefined) throw new CacheTargetError(text, 'is neither a URL of http or https nor a path')
  const authority = parseAuthority(host)
  if (authority === undefined) throw new CacheTargetError(text, 'has no host that can be one')
  const path = canonicalPath(rest.startsWith('/') ? rest : `/${rest}`, text)
  return withoutDefaultPort(`${scheme.toLowerCase()}://${authority.authority}${path}`)
}

function canonicalPath(target: string, text: string): string {
  // Clients escape what is not ASCII; people need not.
  const found = canonicalTarget(Buffer.from(target).toString('latin1'))
  if (typeof found === 'string') throw new CacheTargetError(text, found)
  return found.path + found.query
}
