/**
 * A set of field names that rules out others by their length and first letter, which almost always suffices: most fields of
 * a request mean nothing to a gateway, and lower-casing each only to find that out costs more than all the rest.
 */
export class FieldNames {
  readonly #shapes = new Uint8Array(1024)

  /** @param names in lower case */
  constructor(names: Iterable<string>) {
    for (const name of names) this.#shapes[shapeOf(name)] = 1
  }

  /** `false` where it is certainly none of them. @param name in any case */
  mayHave(name: string): boolean {
    return this.#shapes[shapeOf(name)] === 1
  }
}

function shapeOf(name: string): number {
  return ((name.length & 31) << 5) | (name.charCodeAt(0) & 31)
}

/**
 * A name as servers read it that make variables of fields (CGI, WSGI, Rack, PHP): to them underscores and hyphens are one, to
 * some all that is no letter or digit. What must not be in a request must not be in it under another name of that kind.
 */
export function foldedName(name: string): string {
  const lower = name.toLowerCase()
  // Almost every name stays as it is: to see that costs less than to replace nothing.
  return /[^a-z0-9-]/.test(lower) ? lower.replace(/[^a-z0-9]/g, '-') : lower
}
