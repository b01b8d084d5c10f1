import { test } from 'tap'
import { explainVerdicts } from '../../cli/explanation.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { makeKey } from '../../services/access/key/api-key.ts'

const MADE = makeKey()
const UNTIERED = makeKey()
const CONFIG = resolveConfig({
  upstreams: { a: { targets: ['http://127.0.0.1:9'] } },
  access: {
    consumers: {
      acme: { keys: [{ id: MADE.id, hash: MADE.hash }], groups: ['partners'], tier: 'gold' },
      globex: { keys: [{ id: UNTIERED.id, hash: UNTIERED.hash }] },
    },
  },
  tiers: { gold: { rateLimit: { rate: '5/min' } } },
  routes: {
    '/*': {
      to: 'a',
      access: { by: ['key'], addresses: { deny: ['10.0.0.0/8'] } },
      rateLimit: { rate: '3/min', by: 'ip' },
      request: { methods: ['GET'] },
    },
    '/fleet': {
      to: 'a',
      access: ['key', 'anonymous'],
      rateLimit: { rate: '3/min', by: 'ip', allowList: ['consumer:*'] },
    },
    '/open': { to: 'a' },
    '/cached': { to: 'a', access: ['key', 'anonymous'], cache: true },
  },
})

const explain = (given: { method?: string; path?: string; key?: string; address?: string }) =>
  explainVerdicts(CONFIG, {
    method: given.method ?? 'GET',
    host: 'a.test',
    path: given.path ?? '/x?y=1',
    fields: given.key === undefined ? [] : ['x-api-key', given.key],
    ...(given.address === undefined ? {} : { address: given.address }),
  })

const said = ({ gates }: Awaited<ReturnType<typeof explain>>): string[] =>
  gates.map(({ step, verdict, code }) => `${step} ${verdict}${code === null ? '' : ` ${code}`}`)

void test('explain says what each gate makes of a key, and who calls', async (t) => {
  const explanation = await explain({ key: MADE.key })
  t.strictSame(said(explanation), [
    'address passes',
    'limit passes',
    'access passes',
    'allowance passes',
    'request passes',
  ])
  t.equal(explanation.outcome, 'proxied')
  const steps = explanation.steps.map(({ name }) => name)
  t.strictSame(steps.slice(3, 9), ['route', 'address', 'limit', 'access', 'allowance', 'request'])
  t.match(explanation.steps[4], { detail: 'not from 10.0.0.0/8' })
  t.match(explanation.caller, { id: 'acme', scheme: 'key', tier: 'gold', groups: ['partners'] })
  t.notOk(JSON.stringify(explanation).includes(MADE.key), 'the key is not repeated')
})

void test('explain says which limits hold for a caller, and that none does for one without a tier', async (t) => {
  const allowance = async (key?: string): Promise<string | undefined> => {
    const { gates } = await explain({ path: '/fleet', ...(key !== undefined && { key }) })
    return gates.find(({ step }) => step === 'allowance')?.detail
  }
  t.equal(await allowance(MADE.key), 'counted by tier gold')
  t.equal(await allowance(UNTIERED.key), 'none of these limits holds for this caller')
  t.equal(await allowance(), 'counted by /fleet')
})

void test('explain shows the key of the cache under which this caller is answered', async (t) => {
  const keyOf = async (key?: string): Promise<string | null | undefined> =>
    (await explain({ path: '/cached', ...(key !== undefined && { key }) })).cache?.key
  t.match(await keyOf(), /\nidentity: anonymous$/)
  const own = await keyOf(MADE.key)
  t.match(own, /\nidentity: [\w-]{43}$/)
  t.notMatch(own, 'acme')
})

void test('explain says which gate refuses, with what, and that nobody is asked behind it', async (t) => {
  const wrong = await explain({ key: `${MADE.key}x` })
  t.strictSame(said(wrong).slice(2), ['access refuses HR_ACCESS_INVALID', 'allowance not asked', 'request not asked'])
  t.match(wrong, { outcome: 'refused', answer: { status: 401 }, caller: null })
  const far = await explain({ key: MADE.key, address: '10.1.2.3' })
  t.equal(said(far)[0], 'address refuses HR_ACCESS_ADDRESS')
  t.match(far, { outcome: 'refused', answer: { status: 403 } })
  const put = await explain({ key: MADE.key, method: 'PUT' })
  t.match(put, { outcome: 'refused', answer: { status: 405 }, caller: { id: 'acme' } })
})

void test('a route without gates has no verdicts, and each explanation starts anew', async (t) => {
  t.strictSame((await explain({ path: '/open' })).gates, [])
  for (let i = 0; i < 6; i++) t.equal((await explain({ key: MADE.key })).outcome, 'proxied')
})

void test('validation, which wants a document, is told and not asked', async (t) => {
  const config = resolveConfig({
    upstreams: { a: { targets: ['http://127.0.0.1:1'], openapi: '/openapi.json' } },
    routes: { '/x': { to: 'a', cors: true, validate: true, transform: { response: { status: { 404: 410 } } } } },
  })
  const { steps } = await explainVerdicts(config, { method: 'GET', host: '', path: '/x' })
  const names = steps.map(({ name }) => name)
  t.strictSame(names.slice(4), ['cors', 'validation', 'upstream', 'response validation', 'transformation', 'log'])
  t.match(steps.find(({ name }) => name === 'validation')?.detail, /by the document of a: what differs is refused/)
})
