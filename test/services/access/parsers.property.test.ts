import fc from 'fast-check'
import { test } from 'tap'
import { readContentDigest } from '../../../services/access/hmac/content-digest.ts'
import { readSignatureInput } from '../../../services/access/hmac/signature-input.ts'
import { keyIdOf, makeKey } from '../../../services/access/key/api-key.ts'
import { holdsKey, withoutKeys } from '../../../services/access/key/key-in-url.ts'
import { takeParameter } from '../../../services/access/key/query-parameter.ts'
import { asking } from './given.ts'

/** Whatever comes in, the parsers of credentials answer; and what a writer has written they read as it was meant. */

/** Text of what these grammars are made of, so that some of it is nearly right. */
const nearly = (...words: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 4 })), { maxLength: 12 })
      .map((parts) => parts.join('')),
  )

void test('a key has the id that it was made with, and is found in any URL, whatever of it is encoded', async (t) => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const encoded = (character: string): string => `%${character.charCodeAt(0).toString(16)}`
  fc.assert(
    fc.property(fc.infiniteStream(chance), (chances) => {
      const { id, key } = makeKey((limit) => Math.floor(chances.next().value * limit))
      const sent = Array.from(key, (one) => (chances.next().value < 0.3 ? encoded(one) : one)).join('')
      const path = `/a/x${sent}/b`
      return keyIdOf(key) === id && holdsKey(`?a=1&b=${sent}`) && withoutKeys(path) === '/a/x[redacted]/b'
    }),
  )
  fc.assert(
    fc.property(nearly('hr_', '_', 'k3v9x2ab', 'HR_', '%5f'), (text) => {
      const id = keyIdOf(text)
      return id === '' || text.startsWith(`hr_${id}_`)
    }),
  )
  t.pass()
})

void test('a parameter is taken off the query as it was written, and nothing else is', async (t) => {
  const pair = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 12 }))
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 6 }), fc.string({ unit: 'grapheme' }), fc.nat(6), (pairs, value, at) => {
      const others = pairs.filter(([name]) => name !== 'key')
      const all = others.toSpliced(at, 0, ['key', value])
      const exchange = asking({ query: `?${new URLSearchParams(all).toString()}` })
      const rest = others.length === 0 ? '' : `?${new URLSearchParams(others).toString()}`
      return takeParameter(exchange, 'key') === value.toWellFormed() && exchange.query === rest
    }),
  )
  fc.assert(
    fc.property(nearly('key', '=', '&', '%', '%6b', '+', 'key='), (text) => {
      const exchange = asking({ query: `?${text}` })
      const found = takeParameter(exchange, 'key')
      return found === undefined ? exchange.query === `?${text}` : !/(^\?|&)key(=|&|$)/.test(exchange.query)
    }),
  )
  t.pass()
})

const name = fc.stringMatching(/^[@a-z][a-z0-9-]{0,15}$/)
const text = fc.stringMatching(/^[ !#-[\]-~]{1,40}$/)
const whole = fc.integer({ min: 0, max: 999_999_999_999 })

void test('signature fields are read as they were written', async (t) => {
  const written = fc.record({
    label: fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,10}$/),
    components: fc.uniqueArray(name, { maxLength: 6 }),
    created: whole,
    keyid: text,
    expires: fc.option(whole),
    nonce: fc.option(text),
    alg: fc.option(fc.constantFrom('hmac-sha256', 'ed25519')),
    signature: fc.uint8Array({ minLength: 6, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  })
  fc.assert(
    fc.property(written, ({ label, signature, components, ...given }) => {
      const parameters = Object.entries(given)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => `;${key}=${typeof value === 'number' ? value : `"${value}"`}`)
      const inner = `(${components.map((one) => `"${one}"`).join(' ')})${parameters.join('')}`
      const read = readSignatureInput(`${label}=${inner}`, `${label}=:${signature.toString('base64')}:`)
      t.same(read, { components, parameters: inner, signature, ...given })
      return true
    }),
    { numRuns: 50 },
  )
})

void test('what is nearly a signature, or a digest, is read or is not, and never breaks anything', async (t) => {
  const words = [
    'sig=',
    '("@method"',
    '"@path"',
    ')',
    ';created=1',
    ';keyid="k"',
    ';nonce="',
    '"',
    '(',
    ':',
    'AAAAAAAA',
    '=',
  ]
  const input = nearly(...words)
  fc.assert(
    fc.property(input, input, (fields, signature) => {
      const read = readSignatureInput(fields, signature)
      return read === undefined || (Number.isSafeInteger(read.created) && fields.includes(read.parameters))
    }),
    { numRuns: 1_000 },
  )
  fc.assert(
    fc.property(nearly('sha-256=:', 'sha-512=:', ':', ',', 'AAAA', '='), (value) => {
      const read = readContentDigest(value)
      return read === undefined || read.length > 0
    }),
  )
  const digest = fc.uint8Array({ minLength: 3, maxLength: 64 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(digest, (bytes) => {
      const [read] = readContentDigest(`unknown=:AAAA:, sha-256=:${bytes.toString('base64')}:`) ?? []
      return read?.algorithm === 'sha256' && read.digest.equals(bytes)
    }),
  )
  t.pass()
})
