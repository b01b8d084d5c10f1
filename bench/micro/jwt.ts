/**
 * `node bench/micro/jwt.ts`: what a token costs before anything answers. First seen, it is verified (µs of CPU over all
 * threads, and on the main one alone: WebCrypto verifies in the thread pool); seen before, it is one SHA-256 and a look
 * into a map (ns).
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { JwtAuthenticator } from '../../services/access/jwt/authenticator.ts'
import { FileKeys } from '../../services/access/jwt/file-keys.ts'
import { Issuer } from '../../services/access/jwt/issuer.ts'
import { Exchange } from '../../services/downstream/exchange.ts'
import { Peer } from '../../services/downstream/peer.ts'
import { TrustedProxies } from '../../services/downstream/trust.ts'
import { readRequestFields } from '../../services/http/request-fields.ts'

const ROUNDS = 5
const CALLS = 200_000
const TOKENS = 1_000

const peer = new Peer({ remoteAddress: '127.0.0.1' }, new TrustedProxies([]))

function exchangeOf(token: string): Exchange {
  const fields = readRequestFields([
    'Host',
    'gateway.test',
    'User-Agent',
    'bench',
    'Accept',
    '*/*',
    'Accept-Encoding',
    'gzip',
    'Authorization',
    `Bearer ${token}`,
  ])
  return new Exchange({ protocol: '1.1', method: 'GET', target: '/', fields, body: null, peer })
}

async function setUp(alg: string): Promise<{ authenticator: JwtAuthenticator; issuer: Issuer; tokens: string[] }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const text = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg }] })
  const issuer = new Issuer(
    {
      name: 'bench',
      issuers: ['https://id.test/'],
      audiences: ['bench'],
      keys: { inline: text },
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      skewS: 10,
      requiredClaims: ['exp'],
      maxTokenAgeS: null,
      typ: null,
      cookie: null,
      keep: false,
      claims: { consumer: null, groups: null, tier: null, scopes: ['scope'] },
      maxTokenBytes: 8_192,
      cache: TOKENS,
    },
    {
      keys: new FileKeys({ from: { text }, failed: () => undefined }),
      now: Date.now,
      consumerOf: () => undefined,
      isRevoked: () => false,
    },
  )
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const tokens = await Promise.all(
    Array.from({ length: TOKENS }, (_, index) =>
      new SignJWT({ iss: 'https://id.test/', aud: 'bench', sub: `user-${index}`, exp, scope: 'read write' })
        .setProtectedHeader({ alg, kid: 'a' })
        .sign(privateKey),
    ),
  )
  return { authenticator: new JwtAuthenticator([issuer], 'bench'), issuer, tokens }
}

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] as number

for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  const { authenticator, issuer, tokens } = await setUp(alg)
  const exchanges = tokens.map(exchangeOf)
  const fresh: { all: number[]; main: number[] } = { all: [], main: [] }
  for (let round = 0; round < ROUNDS; round++) {
    issuer.forget()
    const before = process.cpuUsage()
    const mainBefore = process.threadCpuUsage()
    for (const exchange of exchanges) await authenticator.authenticate(exchange)
    const { user, system } = process.cpuUsage(before)
    const main = process.threadCpuUsage(mainBefore)
    fresh.all.push((user + system) / TOKENS)
    fresh.main.push((main.user + main.system) / TOKENS)
  }
  const known: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) void authenticator.authenticate(exchanges[i % TOKENS] as Exchange)
    known.push(Number(process.hrtime.bigint() - begin) / CALLS)
  }
  const said = [
    `first ${median(fresh.all).toFixed(0)} µs of CPU (${median(fresh.main).toFixed(0)} on the main thread)`,
    `then ${median(known).toFixed(0)} ns`,
  ]
  console.log(alg.padEnd(6), said.join(', '), `(${tokens[0]?.length} characters)`)
}
