import { isDeepStrictEqual } from 'node:util'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { test } from 'tap'
import { decode, encode } from '../../../../services/cache/store/codec.ts'
import { STRING_BODY_BYTES, type StoredResponse } from '../../../../services/cache/stored.ts'
import { storedResponse } from './stored-response.ts'

const unreadable = { code: 'HR_CACHE_STORED_FORMAT' }

const text = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '"', 'é', 'ÿ', '\t', '→', '😀'), maxLength: 20 })
const pairs = fc.array(fc.tuple(text, text), { maxLength: 6 }).map((list) => list.flat())
const latin1 = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const long = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 4_000 }))
  .map(([bytes, more]) => new Uint8Array(Buffer.alloc(STRING_BODY_BYTES + more, bytes)))
const part = fc.oneof(
  fc.constant(null),
  fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.option(fc.integer({ min: 1, max: 2 ** 40 }))).map(([first, more, rest]) => ({
    first,
    last: first + more,
    complete: rest === null ? null : first + more + rest,
  })),
)
const response: fc.Arbitrary<StoredResponse> = fc.record(
  {
    status: fc.integer({ min: 200, max: 599 }),
    fields: pairs,
    requestedAt: fc.double({ min: 0, max: 2e13, noNaN: true }),
    receivedAt: fc.double({ min: 0, max: 2e13, noNaN: true }),
    body: fc.oneof(latin1, long),
    part,
    vary: pairs,
    tags: fc.array(text, { maxLength: 4 }),
  },
  { noNullPrototype: true },
)

/** `undefined` for its own error; anything else is thrown on. */
function attempt(bytes: Uint8Array): StoredResponse | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    if ((error as { code?: unknown }).code !== unreadable.code) throw error
    return undefined
  }
}

/** As if `encode` had made it: what comes after the checksum has to hold by itself. */
function signed(bytes: Buffer): Buffer {
  if (bytes.length >= 5) bytes.writeUInt32BE(crc32(bytes.subarray(5)), 1)
  return bytes
}

void test('what is encoded is decoded to the same', async (t) => {
  fc.assert(
    fc.property(response, (given) => {
      const bytes = encode(given)
      // In the middle of something larger, as it comes from a batch.
      const within = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
      const read = decode(within.subarray(6, 6 + bytes.length))
      return isDeepStrictEqual(read, given)
    }),
    { numRuns: 300 },
  )
  t.pass()
})

void test('small bodies are strings and large ones bytes, however they were given', async (t) => {
  const bytes = new Uint8Array(STRING_BODY_BYTES).fill(255)
  t.equal(decode(encode(storedResponse({ body: bytes }))).body, 'ÿ'.repeat(STRING_BODY_BYTES))
  t.strictSame(
    decode(encode(storedResponse({ body: 'ÿ'.repeat(STRING_BODY_BYTES + 1) }))).body,
    new Uint8Array(STRING_BODY_BYTES + 1).fill(255),
  )
})

void test('cut off anywhere, with something after it, or changed anywhere, it is refused', async (t) => {
  const bytes = encode(storedResponse({ tags: ['t'], vary: ['a', 'b'], part: { first: 0, last: 4, complete: 9 } }))
  for (let length = 0; length < bytes.length; length++) t.throws(() => decode(bytes.subarray(0, length)), unreadable)
  t.throws(() => decode(Buffer.concat([bytes, Buffer.from([0])])), unreadable)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    t.throws(() => decode(changed), unreadable)
  }
})

void test('garbage ends in its own error', async (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(bytes) === undefined))
  t.pass()
})

void test('garbage with a right checksum is refused, or is a response that can be encoded', async (t) => {
  const mutated = fc
    .tuple(
      response,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.nat(9),
    )
    .map(([given, changes, cut]) => {
      const bytes = encode({ ...given, body: 'b' })
      for (const [at, value] of changes) bytes[5 + (at % (bytes.length - 5))] = value
      return signed(bytes.subarray(0, bytes.length - cut))
    })
  const outcomes = { refused: 0, read: 0 }
  fc.assert(
    fc.property(mutated, (bytes) => {
      const read = attempt(bytes)
      outcomes[read === undefined ? 'refused' : 'read']++
      if (read !== undefined) encode(read)
    }),
    { numRuns: 3_000 },
  )
  t.ok(outcomes.refused > 100 && outcomes.read > 100, JSON.stringify(outcomes))
})

void test('what could split a response, or is none, is refused even with a right checksum', async (t) => {
  const replaced = (given: StoredResponse, from: string, to: string): Buffer => {
    const bytes = encode(given)
    bytes.write(to, bytes.indexOf(from), 'latin1')
    return signed(bytes)
  }
  const fields = storedResponse({ fields: ['name', 'value#'] })
  t.strictSame(decode(replaced(fields, '#', '!')).fields, ['name', 'value!'])
  for (const character of ['\r', '\n', '\0']) t.throws(() => decode(replaced(fields, '#', character)), unreadable)

  const status = (value: number): Buffer => {
    const bytes = encode(storedResponse())
    bytes.writeUInt16BE(value, 5)
    return signed(bytes)
  }
  t.equal(decode(status(599)).status, 599)
  for (const value of [0, 100, 199, 600, 65_535]) t.throws(() => decode(status(value)), unreadable)

  const time = (value: number): Buffer => {
    const bytes = encode(storedResponse())
    bytes.writeDoubleBE(value, 7)
    return signed(bytes)
  }
  for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) t.throws(() => decode(time(value)), unreadable)

  const odd = storedResponse({ fields: ['name'] })
  t.throws(() => decode(encode(odd)), unreadable)
  for (const given of [
    { first: 5, last: 4, complete: null },
    { first: 0, last: 4, complete: 4 },
  ]) {
    t.throws(() => decode(encode(storedResponse({ part: given }))), unreadable)
  }
})

void test('a count that cannot be makes no list', async (t) => {
  const bytes = encode(storedResponse({ fields: [] }))
  bytes.writeUInt32BE(0xffffffff, 24)
  t.throws(() => decode(signed(bytes)), unreadable)
})

void test('what could not be read back is not written', async (t) => {
  for (const value of ['a\r\nset-cookie: x', 'a\nb', 'a\0', '\ud800']) {
    t.throws(() => encode(storedResponse({ fields: ['name', value] })), unreadable)
    t.throws(() => encode(storedResponse({ tags: [value] })), unreadable)
  }
})

void test('another version is another format', async (t) => {
  const bytes = encode(storedResponse())
  bytes[0]!++
  t.throws(() => decode(bytes), { ...unreadable, message: /version 2, not 1/ })
})
