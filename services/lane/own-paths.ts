/**
 * The paths that the gateway's own Fastify routes take, so that the lane leaves them alone:
 *
 * - `own`: the path of a route without parameters, or below a wildcard of the gateway's own pages, whatever the method;
 *   configured routes never get it
 * - `perhaps`: below the text before a route's parameters; Fastify's router decides, and a configured route comes next
 */
export class OwnPaths {
  readonly #exact = new Map<string, Set<string>>()
  readonly #prefixes: Prefix[] = []

  /**
   * @param url a Fastify route's URL: `/health`, `/docs/static/*`, `/jobs/:id`
   * @param methods that the route takes
   */
  add(url: string, methods: readonly string[] = []): void {
    const dynamic = url.search(/[:*(?]/)
    if (dynamic === -1) {
      let taken = this.#exact.get(url)
      if (taken === undefined) this.#exact.set(url, (taken = new Set()))
      for (const method of methods) taken.add(method)
      return
    }
    const text = url.slice(0, dynamic)
    const isRest = url === `${text}*`
    let prefix = this.#prefixes.find((known) => known.text === text && known.isRest === isRest)
    if (prefix === undefined) this.#prefixes.push((prefix = { text, isRest, isClaimed: false, methods: new Set() }))
    for (const method of methods) prefix.methods.add(method)
  }

  /** Makes a URL that was added one of the gateway's own pages: all below its wildcard belongs to it. */
  claim(url: string): void {
    for (const prefix of this.#prefixes) if (prefix.isRest && url === `${prefix.text}*`) prefix.isClaimed = true
  }

  /** @param path canonical */
  find(path: string): 'own' | 'perhaps' | undefined {
    if (this.#exact.has(path)) return 'own'
    let found: 'perhaps' | undefined
    for (let i = 0; i < this.#prefixes.length; i++) {
      const prefix = this.#prefixes[i] as Prefix
      if (!path.startsWith(prefix.text)) continue
      if (prefix.isClaimed) return 'own'
      found = 'perhaps'
    }
    return found
  }

  /** What the path takes, in order; empty where it is none that is certainly the gateway's own. @param path canonical */
  methodsOf(path: string): string[] {
    const taken = this.#exact.get(path) ?? this.#prefixes.find((p) => p.isClaimed && path.startsWith(p.text))?.methods
    return taken === undefined ? [] : [...taken].sort()
  }
}

interface Prefix {
  text: string
  /** The route takes all that begins with the text. */
  isRest: boolean
  isClaimed: boolean
  readonly methods: Set<string>
}
