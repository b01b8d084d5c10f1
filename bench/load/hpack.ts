/**
 * Header blocks for requests that are always the same (RFC 7541): the first on a connection puts each field into the
 * decoder's dynamic table, as browsers do, and the later ones name its places. No Huffman coding, no eviction: what does
 * not fit into the table's 4,096 bytes is refused.
 */
const TABLE_BYTES = 4_096
/** What an entry counts for beyond its name and value (§4.1). */
const ENTRY_BYTES = 32
/** The first place of the dynamic table (Appendix A has 61). */
const DYNAMIC = 62
const INDEXED = 0x80
const WITH_INDEXING = 0x40

/** What of Appendix A a request always has. */
const STATIC: Readonly<Record<string, number>> = { ':method GET': 2, ':method POST': 3, ':scheme https': 7 }

/** Statuses that have a place of their own. */
const STATUSES = [200, 204, 206, 304, 400, 404, 500]
const FIRST_STATUS = 8

/** An integer of any size behind the bits that its first byte already has (§5.1). */
function integer(pattern: number, prefixBits: number, value: number): number[] {
  const most = 2 ** prefixBits - 1
  if (value < most) return [pattern | value]
  const bytes = [pattern | most]
  let rest = value - most
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}

const text = (value: string): number[] => [...integer(0, 7, value.length), ...Buffer.from(value, 'latin1')]

/** @throws RangeError for more than the table holds */
export function headerBlocks(fields: readonly (readonly [string, string])[]): { first: Buffer; later: Buffer } {
  const dynamic = fields.filter(([name, value]) => !(`${name} ${value}` in STATIC))
  const size = dynamic.reduce((sum, [name, value]) => sum + name.length + value.length + ENTRY_BYTES, 0)
  if (size > TABLE_BYTES) throw new RangeError(`${size} bytes of fields are more than HPACK's table holds`)
  const first: number[] = []
  const later: number[] = []
  let added = 0
  for (const [name, value] of fields) {
    const known = STATIC[`${name} ${value}`]
    // The newest entry has the first place: what was added first ends up last.
    const place = known ?? DYNAMIC + dynamic.length - ++added
    first.push(...(known === undefined ? [WITH_INDEXING, ...text(name), ...text(value)] : integer(INDEXED, 7, known)))
    later.push(...integer(INDEXED, 7, place))
  }
  return { first: Buffer.from(first), later: Buffer.from(later) }
}

/** The status at the beginning of an answer's header block; NaN for one that isn't in the static table. */
export function statusOf(block: Uint8Array): number {
  let at = 0
  // Changes of the table's size come first (§6.3).
  while (block[at]! >> 5 === 1) {
    const long = (block[at++]! & 31) === 31
    while (long && block[at++]! >= 128);
  }
  return STATUSES[(block[at] ?? 0) - INDEXED - FIRST_STATUS] ?? Number.NaN
}

/** Fields that are named in full, each time (§6.2.2): what no encoder would say can be said as well. */
export function literalBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(fields.flatMap(([name, value]) => [0, ...text(name), ...text(value)]))
}

/** One field that goes into the decoder's table, and then as often as is said by its place there. */
export function repeatedBlock([name, value]: readonly [string, string], times: number): Buffer {
  return Buffer.from([WITH_INDEXING, ...text(name), ...text(value), ...Array<number>(times).fill(INDEXED | DYNAMIC)])
}
