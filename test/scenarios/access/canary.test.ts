import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { request } from 'undici'
import { stringify } from 'yaml'
import { hashPassword } from '../../../services/access/basic/password.ts'
import { PATIENCE } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'
import { signatureFields } from '../../services/access/signing.ts'
import { AUDIENCE, ISSUER, signerOf } from '../../tokens.ts'
import { folderOf } from './machines.ts'

const CLI = fileURLToPath(new URL('../../../cli.ts', import.meta.url))
const SECRETS = {
  password: 'canary-of-a-password',
  hmac: 'canary-of-a-shared-secret',
  admin: 'canary-of-the-admin-token',
  reader: 'canary-of-a-limited-token-which-is-long',
  client: 'canary-of-a-client-secret',
  cookies: 'canary-of-a-cookie-secret-of-32-characters',
  redis: 'canary-of-a-redis-password',
}

void test('no secret is in any log line, metric, problem or answer of the control plane', {
  timeout: PATIENCE,
}, async (t) => {
  const cwd = folderOf(t)
  const { key, entry } = keyFor()
  const signer = await signerOf('ES256', 'es')
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const [token, inCookie, expired] = await Promise.all([
    signer.sign({ exp, jti: 'one' }),
    signer.sign({ exp, jti: 'two' }),
    signer.sign({ exp: exp - 7_200 }),
  ])
  const access = ['key', 'hmac', 'jwt:main', 'basic', 'forward:away']
  const config = {
    listen: { port: 0 },
    admin: {
      port: 0,
      token: SECRETS.admin,
      rateLimit: false,
      tokens: { reader: { bearer: SECRETS.reader, grants: ['read'] } },
    },
    log: { level: 'debug', format: 'json' },
    drainTimeout: '0s',
    redis: { url: `redis://:${SECRETS.redis}@127.0.0.1:1` },
    upstreams: { away: { targets: ['http://127.0.0.1:1'] } },
    access: {
      consumers: {
        acme: {
          keys: [entry],
          password: await hashPassword(SECRETS.password),
          secrets: [{ id: 'acme-1', secret: SECRETS.hmac }],
        },
      },
      keys: { query: 'k' },
      jwt: { main: { issuer: ISSUER, audience: AUDIENCE, cookie: 'session', jwks: { keys: [signer.jwk] } } },
      oidc: {
        staff: {
          issuer: 'http://127.0.0.1:1',
          insecure: true,
          clientId: 'gateway',
          clientSecret: SECRETS.client,
          cookieSecrets: [SECRETS.cookies],
          origin: 'http://127.0.0.1',
        },
      },
      forward: { away: { url: 'http://127.0.0.1:1/verify' } },
    },
    routes: {
      '/own': { answer: { body: 'in' }, access },
      '/away': { to: 'away', access, cache: true },
      '/staff': { to: 'away', access: ['oidc:staff'] },
      '/both/*': { to: 'away', access: [...access, 'anonymous'], cache: true },
      '/open/*': { to: 'away', request: { methods: ['GET'] } },
    },
  }
  mkdirSync(cwd, { recursive: true })
  writeFileSync(join(cwd, 'headrace.config.yaml'), stringify(config))
  const child = spawn(process.execPath, [CLI, 'serve'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stderr.on('data', (bytes) => (log += String(bytes)))
  const listening = Promise.withResolvers<Record<string, string>>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    log += `${line}\n`
    const { msg, addresses = [] } = JSON.parse(line) as { msg: string; addresses?: { kind: string; url: string }[] }
    if (msg === 'Listening') listening.resolve(Object.fromEntries(addresses.map(({ kind, url }) => [kind, url])))
  })
  const ended = once(child, 'exit').then(() => listening.reject(new Error(`it did not start: ${log}`)))
  const at = await listening.promise

  const signed = (path: string, nonce: string, secret: string = SECRETS.hmac) =>
    Object.fromEntries(signatureFields({ keyid: 'acme-1', secret, authority: 'gateway.test', path, nonce }))
  const basic = (password: string) => ({ authorization: `Basic ${btoa(`acme:${password}`)}` })
  const guess = `${key.slice(0, -4)}wron`
  const told: string[] = []
  const statuses: number[] = []
  const ask = async (path: string, headers: Record<string, string>): Promise<void> => {
    const {
      statusCode,
      headers: fields,
      body,
    } = await request(`${at.public}${path}`, {
      headers: { host: 'gateway.test', ...headers },
    })
    statuses.push(statusCode)
    told.push(`${JSON.stringify(fields)}\n${await body.text()}`)
  }
  for (const path of ['/own', '/away', '/staff', '/nowhere']) {
    await ask(path, {})
    await ask(path, { 'x-api-key': key })
    await ask(path, { 'x-api-key': guess })
    await ask(`${path}?k=${key}`, {})
    await ask(`${path}?other=${key}&access_token=${token}`, {})
    await ask(path, basic(SECRETS.password))
    await ask(path, basic(`${SECRETS.password}x`))
    for (const one of [token, expired, `${token}x`]) await ask(path, { authorization: `Bearer ${one}` })
    await ask(path, { cookie: `session=${inCookie}`, authorization: `Bearer ${token}` })
    await ask(path, { cookie: `session=${inCookie}` })
    await ask(path, signed(path, 'a'))
    await ask(path, signed(path, 'a'))
    await ask(path, signed(path, 'b', 'another secret that is long'))
  }
  for (const path of ['/both/', '/open/', '/own/', '/nowhere/', '//', '/both/x/../', '/staff/']) {
    for (const one of [key, key.replaceAll('_', '%5F'), `%68r${key.slice(2)}`, `x;k=${key}/y`]) {
      await ask(`${path}${one}`, {})
      await ask(`${path}${one}`, { accept: 'text/html' })
      await ask(`${path}${one}?other=1`, { 'x-api-key': key })
      await ask(`${path}?other=${one}`, basic(SECRETS.password))
    }
  }
  t.ok(statuses.includes(200) && statuses.includes(401) && statuses.includes(400) && statuses.includes(502))

  const asked: string[] = []
  const admin = async (method: 'GET' | 'POST', path: string, content?: object): Promise<string> => {
    const { statusCode, headers, body } = await request(`${at.admin}${path}`, {
      method,
      headers: { authorization: `Bearer ${SECRETS.admin}`, 'content-type': 'application/json' },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    })
    const text = await body.text()
    told.push(`${method} ${path} ${JSON.stringify(headers)}\n${text}`)
    asked.push(`${statusCode} ${path}`)
    return text
  }
  const { paths } = JSON.parse(await admin('GET', '/openapi.json')) as { paths: Record<string, { get?: object }> }
  for (const [path, { get }] of Object.entries(paths)) if (get !== undefined) await admin('GET', path)
  t.ok(asked.filter((line) => /^200 \/(performance|metrics)/.test(line)).length > 8, asked.join(', '))
  await admin('POST', '/performance/consumers/revoke', { key })
  await admin('POST', '/performance/consumers/revoke', { key: entry.id })
  await admin('POST', '/performance/tokens/revoke', { kind: 'token', name: 'one' })
  await admin('POST', '/performance/config/reload', {})
  await request(`${at.admin}/metrics`, { headers: { authorization: `Bearer ${SECRETS.reader}x` } }).then(
    async ({ body }) => told.push(await body.text()),
  )
  child.kill('SIGTERM')
  await ended.catch(() => undefined)

  t.match(log, /"audit":"denied"/)
  t.match(log, /"msg":"request"/)
  const signatureOf = (one: string): string => one.split('.')[2] as string
  const wanted: Record<string, string> = {
    ...SECRETS,
    'the key': key.slice(-28),
    'a guessed key': guess.slice(-28),
    'the password, encoded': btoa(`acme:${SECRETS.password}`),
    'the token': signatureOf(token),
    'the token in a cookie': signatureOf(inCookie),
    'the expired token': signatureOf(expired),
  }
  for (const [name, text] of Object.entries(wanted)) {
    const lines = [...log.split('\n'), ...told].filter((line) => line.includes(text))
    t.same(lines, [], name)
  }
})
