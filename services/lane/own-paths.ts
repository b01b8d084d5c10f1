/**
 * The paths that the gateway's own Fastify routes may take, so that the lane leaves them alone. It errs towards Fastify:
 * a route with parameters counts with everything below the text before them.
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

  includes(path: string): boolean {
    if (this.#exact.has(path)) return true
    for (let i = 0; i < this.#prefixes.length; i++) {
      if (path.startsWith(this.#prefixes[i] as string)) return true
    }
    return false
  }
}
