/**
 * The paths that the gateway's own Fastify routes take, so that the lane leaves them alone:
 *
 * - `own`: the path of a route without parameters, whatever the method; configured routes never get it
 * - `perhaps`: below the text before a route's parameters; Fastify's router decides, and a configured route comes next
 */
export class OwnPaths {
  readonly #exact = new Set<string>()
  readonly #prefixes: string[] = []

  /** @param url a Fastify route's URL: `/health`, `/docs/static/*`, `/jobs/:id` */
  add(url: string): void {
    const dynamic = url.search(/[:*(?]/)
    if (dynamic === -1) this.#exact.add(url)
    else {
      const prefix = url.slice(0, dynamic)
      if (!this.#prefixes.includes(prefix)) this.#prefixes.push(prefix)
    }
  }

  /** @param path canonical */
  find(path: string): 'own' | 'perhaps' | undefined {
    if (this.#exact.has(path)) return 'own'
    for (let i = 0; i < this.#prefixes.length; i++) {
      if (path.startsWith(this.#prefixes[i] as string)) return 'perhaps'
    }
    return undefined
  }
}
