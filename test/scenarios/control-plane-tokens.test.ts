import { test, type Test } from 'tap'
import { ADMIN_SCOPES, type AdminScope } from '../../services/control/scopes.ts'
import { type Gateway, PATIENCE, startGateway } from '../helper.ts'

const tokenFor = (scope: AdminScope): string => `a-token-that-is-for-${scope}`
const TOKENS = Object.fromEntries(
  ADMIN_SCOPES.map((scope) => [scope, { bearer: tokenFor(scope), grants: [scope] }] as const),
)

interface Operation {
  method: string
  path: string
}

/** Every operation that the control plane documents; below the alias too, which no document shows. */
async function operations(url: string): Promise<Operation[]> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security?: unknown[] }>>
  }
  const guarded = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { security }]) => security !== undefined && security.length > 0)
      .map(([method]) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{[^}]+\}/g, 'x') })),
  )
  const again = guarded.filter(({ path }) => path.startsWith('/performance'))
  return [...guarded, ...again.map(({ method, path }) => ({ method, path: `/api/v1${path}` }))]
}

/** Only ever what must be refused: what is let in would be done. */
async function walk(t: Test, { adminUrl, ports }: Gateway, where: string): Promise<void> {
  const url = adminUrl ?? `http://127.0.0.1:${ports.cleartext}`
  const all = await operations(url)
  t.ok(all.length > 30, `${all.length} operations on ${where}`)
  const ask = async (
    { method, path }: Operation,
    token: string | null,
  ): Promise<{ status: number; wanted: string }> => {
    const headers = token === null ? undefined : { authorization: `Bearer ${token}` }
    const response = await fetch(url + path, { method, ...(headers && { headers }) })
    await response.arrayBuffer()
    const wanted = /scope="([a-z]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? ''
    return { status: response.status, wanted }
  }
  for (const operation of all) {
    const name = `${operation.method} ${operation.path} on ${where}`
    t.equal((await ask(operation, null)).status, 401, `${name} without a token`)
    t.equal((await ask(operation, `${tokenFor('read')}x`)).status, 401, `${name} with a wrong token`)
    const [one, other] = operation.path === '/metrics' ? (['operate', 'read'] as const) : (['metrics', null] as const)
    const { status, wanted } = await ask(operation, tokenFor(one))
    t.equal(status, 403, `${name} with a token for ${one}`)
    t.ok(ADMIN_SCOPES.includes(wanted as AdminScope), `${name} says that it wants ${wanted}`)
    if (operation.method !== 'GET') t.not(wanted, 'read', `${name} is not for those who look`)
    for (const scope of ADMIN_SCOPES) {
      if (scope === wanted || scope === one || scope === other) continue
      t.equal((await ask(operation, tokenFor(scope))).status, 403, `${name} with a token for ${scope}`)
    }
  }
}

void test('no operation of the control plane is done without a token, or with one for something else', {
  timeout: PATIENCE,
}, async (t) => {
  const admin = { port: 0, token: 'test-token', tokens: TOKENS }
  await walk(t, await startGateway(t, { admin }), 'a listener of its own')
})

void test('the same where the control plane shares the public listeners', { timeout: PATIENCE }, async (t) => {
  const admin = { shared: true, token: 'test-token', tokens: TOKENS }
  await walk(t, await startGateway(t, { admin }), 'the public listener')
})
