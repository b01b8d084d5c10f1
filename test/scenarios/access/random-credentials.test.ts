import { randomInt } from 'node:crypto'
import { test } from 'tap'
import { request } from 'undici'
import { NOBODYS_PASSWORD } from '../../../services/access/basic/password.ts'
import { gatewayBefore, PATIENCE } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'
import { signatureFields } from '../../services/access/signing.ts'
import { spoilt } from '../../services/access/spoilt.ts'
import { AUDIENCE, ISSUER, signerOf } from '../../tokens.ts'

/**
 * Hundreds of credentials that are none, of each kind: each is refused as a client's fault, and nobody gets further. Tens of
 * thousands, and the work that each is, are in test/services/access.
 */

const signer = await signerOf('ES256', 'es')
const secret = 'a secret that is long enough'
const exp = Math.floor(Date.now() / 1000) + 3_600

type Fields = readonly (readonly [name: string, value: string])[]

const many = (count: number, make: () => Fields): Fields[] => Array.from({ length: count }, make)

void test('random keys, tokens, signatures and passwords break nothing, and none is let in', {
  timeout: PATIENCE,
}, async (t) => {
  const { key, entry } = keyFor()
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'in'), {
    route: { access: ['key', 'hmac', 'jwt:main', 'basic'] },
    config: {
      access: {
        failureLimit: false, // each of them is to be looked at
        consumers: { acme: { keys: [entry], secrets: [{ id: 'acme-1', secret }], password: NOBODYS_PASSWORD } },
        jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] } } },
      },
    },
  })
  const token = await signer.sign({ exp })
  const unsigned = [Buffer.from('{"alg":"none"}').toString('base64url'), token.split('.')[1], ''].join('.')
  const signed = () => signatureFields({ keyid: 'acme-1', secret, authority: 'gateway.test', path: '/' })
  const kinds: Record<string, Fields[]> = {
    keys: many(200, () => [['x-api-key', spoilt(key)]]),
    tokens: [
      ...many(200, () => [['authorization', `Bearer ${spoilt(token)}`]]),
      [['authorization', `Bearer ${unsigned}`]],
      [['authorization', `Bearer ${'a.'.repeat(4_000)}`]],
    ],
    signatures: many(200, () => {
      const [input, signature] = signed() as [[string, string], [string, string]]
      return randomInt(2) === 0
        ? [[input[0], spoilt(input[1])], signature]
        : [input, [signature[0], spoilt(signature[1])]]
    }),
    // What is no user name and password costs no slow hash; what is one does, 200 ms of a thread each, so that it is a few.
    passwords: many(200, () => [['authorization', `Basic ${spoilt('////').replaceAll(':', '')}`]]),
    guesses: many(4, () => [['authorization', `Basic ${btoa(`acme:${randomInt(1e9)}`)}`]]),
  }
  const url = `http://127.0.0.1:${gateway.ports.cleartext}/`
  const codeOf = async (fields: Fields): Promise<string> => {
    const headers = ['host', 'gateway.test', ...fields.flat()]
    const { statusCode, body } = await request(url, { headers })
    return `${statusCode} ${((await body.json()) as { code: string }).code}`
  }
  for (const [kind, all] of Object.entries(kinds)) {
    const codes = new Map<string, number>()
    const left = [...all]
    const worker = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const code = await codeOf(next)
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    const unexpected = [...codes.keys()].filter((code) => !/^40[01] HR_ACCESS_/.test(code))
    t.same(unexpected, [], `${kind}: ${[...codes].map(([code, count]) => `${count} ${code}`).join(', ')}`)
  }
  t.equal(upstream.requests.length, 0)
  const { statusCode } = await request(url, { headers: ['host', 'gateway.test', 'x-api-key', key] })
  t.equal(statusCode, 200, 'and who belongs there is let in as before')
})
