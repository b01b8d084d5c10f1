/**
 * What a purge is about. URLs are those of keys: canonical, `https://host/path?query`, compared as text. One that begins
 * with a slash is a path with its query, whatever the scheme and host.
 */
export type Selector =
  | { kind: 'all' }
  /** One primary key. */
  | { kind: 'key'; key: string }
  /** Every key with this URL: all methods, variants and extras. */
  | { kind: 'url'; url: string }
  /** Every URL that begins so. */
  | { kind: 'prefix'; prefix: string }
  /** Every URL that fits: `*` stands for any characters, also none and also `/`. */
  | { kind: 'pattern'; pattern: string }
  | { kind: 'tag'; tag: string }

/**
 * The URL in a key: from the scheme to the first line feed, after which extras follow, without a default port. Of a key
 * without a URL, all of the first line.
 */
export function urlOf(key: string): string {
  const feed = key.indexOf('\n')
  const end = feed < 0 ? key.length : feed
  const colon = key.indexOf('://')
  if (colon < 0 || colon > end) return key.slice(0, end)
  // What stands before the scheme need not end with a separator.
  return withoutDefaultPort(key.slice(colon - (key.startsWith('https', colon - 5) ? 5 : 4), end))
}

/** The same URL without the port that its scheme has anyway (RFC 9110 §4.2.3): what clients write either way is one. */
export function withoutDefaultPort(url: string): string {
  const port = url.startsWith('https://') ? ':443' : url.startsWith('http://') ? ':80' : undefined
  if (port === undefined) return url
  const end = authorityEnd(url, url.indexOf('://') + 3)
  return url.endsWith(port, end) ? url.slice(0, end - port.length) + url.slice(end) : url
}

/** Path and query of a URL; a key without a scheme is all path. */
function pathOf(url: string): string {
  const colon = url.indexOf('://')
  return colon < 0 ? url : url.slice(authorityEnd(url, colon + 3))
}

function authorityEnd(url: string, from: number): number {
  const slash = url.indexOf('/', from)
  return slash < 0 ? url.length : slash
}

/** Whether a selector covers a response with this key and these tags. */
export type Match = (key: string, tags: readonly string[]) => boolean

export function matcher(selector: Selector): Match {
  switch (selector.kind) {
    case 'all':
      return () => true
    case 'key':
      return (key) => key === selector.key
    case 'tag':
      return (_, tags) => tags.includes(selector.tag)
    case 'url':
    case 'prefix':
    case 'pattern': {
      const covers = urlMatcher(selector)
      return (key) => covers(urlOf(key))
    }
  }
}

export function urlMatcher(
  selector: Extract<Selector, { kind: 'url' | 'prefix' | 'pattern' }>,
): (url: string) => boolean {
  switch (selector.kind) {
    case 'url': {
      const { url: wanted } = selector
      return onPart(wanted, (text) => text === wanted)
    }
    case 'prefix':
      return onPart(selector.prefix, (text) => text.startsWith(selector.prefix))
    case 'pattern':
      return onPart(selector.pattern, wildcard(selector.pattern))
  }
}

/** Whether a URL selector leaves scheme and host open. */
export function isAnyHost(text: string): boolean {
  return text.startsWith('/')
}

function onPart(text: string, covers: (text: string) => boolean): (url: string) => boolean {
  return isAnyHost(text) ? (url) => covers(pathOf(url)) : covers
}

/**
 * A pattern of text and `*`. No regular expression: with several stars one backtracks for longer than a gateway can
 * wait, and who purges is not always who runs it. The first place where a part is found is as good as any later one.
 */
function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  const first = parts.shift() as string
  const last = parts.pop()
  if (last === undefined) return (text) => text === first
  const middle = parts.filter((part) => part !== '')
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let from = first.length
    for (const part of middle) {
      const found = text.indexOf(part, from)
      if (found < 0) return false
      from = found + part.length
      if (from > end) return false
    }
    return true
  }
}
