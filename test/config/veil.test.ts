import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { veiled } from '../../config/veil.ts'

const CANARY = 'canary-of-a-secret'

/** The excerpts of what is wrong with a file, and everything else that is said of it. */
async function told(t: Test, name: string, text: string): Promise<{ excerpts: string[]; all: string }> {
  const cwd = t.testdir({})
  writeFileSync(join(cwd, name), text)
  const loaded = await loadConfig({ cwd, variables: {}, file: join(cwd, name) })
  if (loaded.ok) throw new Error(`nothing is wrong with ${text}`)
  return { excerpts: loaded.problems.map(({ excerpt }) => excerpt?.text ?? ''), all: JSON.stringify(loaded.problems) }
}

void test('a secret on the line that is shown is stars, wherever it stands there', async (t) => {
  const yaml = [
    `admin: { token: ${CANARY}, prot: 1 }`,
    `admin: { prot: 1, token: "${CANARY}" }`,
    `admin: { prot: 1, 'token': '${CANARY} with blanks' }`,
    `admin: { tokens: { a: { token: ${CANARY} } } }`,
    `admin: { tokens: { a: { bearr: ${CANARY}, grants: [read] } } }`,
    `access: { oidc: { a: { cookieSecrets: [${CANARY}, short], isuer: x } } }`,
    `access:\n  oidc:\n    a:\n      cookieSecrets:\n        - ${CANARY}\n`,
    `access: { consumers: { a: { password: ${CANARY} } } }`,
    `access: { consumers: { a: { secrets: [{ id: b, secret: ${CANARY}, x: 1 }] } } }`,
    `redis: { url: 'redis://me:${CANARY}@redis.test', x: 1 }`,
    `redis: { url: 'rdis://me:${CANARY}@redis.test' }`,
    `admin: { token: ${CANARY}, token: ${CANARY} }`,
    `redis: redis://me:${CANARY}@redis.test`,
    `redis: ${CANARY}`,
    `admin: { tokens: { a: ${CANARY} } }`,
    `admin: { tokens: ${CANARY} }`,
    `access: { oidc: { a: { cookieSecrets: ${CANARY} } } }`,
    `access: { consumers: { a: { keys: ${CANARY} } } }`,
    `access: { consumers: { a: { keys: [${CANARY}] } } }`,
    `access: { consumers: { a: { password: { hash: ${CANARY} } } } }`,
    `upstreams: { a: { targets: http://me:${CANARY}@a.test } }`,
    `upstreams: { a: { targets: [http://me:${CANARY}@a.test] } }`,
    `upstreams: { a: http://me:${CANARY}@a.test }`,
  ]
  const files: [string, string][] = [
    ...yaml.map((text): [string, string] => ['a.yaml', text]),
    ['a.json', `{ "admin": { "token": "${CANARY}", "prot": 1 } }`],
    ['a.json', `{ "admin": { "token": "${CANARY}" `],
    ['a.ts', `export default { admin: { token: '${CANARY}', prot: 1 } }`],
    ['a.ts', `export default { admin: { token: \`${CANARY}\`, prot: 1 } } }`],
  ]
  for (const [name, text] of files) {
    const { excerpts, all } = await told(t, name, text)
    t.notMatch(all, CANARY, text)
    t.ok(excerpts.length > 0, text)
  }
})

void test('what is no secret is shown, and everything stays in its place', async (t) => {
  const line = `admin: { prot: 80, token: "${CANARY}", host: 'http://a.test', shared: maybe }`
  const { excerpts } = await told(t, 'a.yaml', line)
  t.same(new Set(excerpts), new Set([line.replace(`"${CANARY}"`, '*'.repeat(CANARY.length + 2))]))
  const place = { offset: 0, length: 1, path: ['admin'], misspelt: [] }
  for (const text of ['token: ${ADMIN_TOKEN}', "token: env('ADMIN_TOKEN')", 'tokens: { a: 1 }', 'my-token: x']) {
    t.equal(veiled(text, place), text)
  }
})
