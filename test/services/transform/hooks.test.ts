import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { loadHooks, type RequestHookInput, runHook } from '../../../services/transform/hooks.ts'
import type { HookReference, TransformOptions } from '../../../services/transform/options.ts'
import { RequestTransform } from '../../../services/transform/request-transform.ts'
import { makeExchange } from '../downstream/make-exchange.ts'

const LIMITS = { name: 'hooks.ts#a', timeoutMs: 20_000 }

void test('a hook that waits too long is given up, and told so', async (t) => {
  // The timer of the limit keeps no process alive.
  const alive = setInterval(() => undefined, 1_000)
  t.teardown(() => clearInterval(alive))
  let stopped = false
  const never = ({ signal }: { signal: AbortSignal }): Promise<void> => {
    signal.addEventListener('abort', () => (stopped = true))
    return new Promise(() => undefined)
  }
  await t.rejects(runHook(never, {}, { ...LIMITS, timeoutMs: 1 }), { code: 'HR_TRANSFORM_HOOK_TIMEOUT' })
  t.ok(stopped)
})

void test('one that computes cannot be cut off, and has failed when it is too late', async (t) => {
  const busy = (): void => {
    const until = performance.now() + 5
    while (performance.now() < until);
  }
  await t.rejects(runHook(busy, {}, { ...LIMITS, timeoutMs: 1 }), { code: 'HR_TRANSFORM_HOOK_TIMEOUT' })
  t.equal(await runHook(() => 7, {}, LIMITS), 7)
})

void test('what a hook throws is kept for the log', async (t) => {
  const cause = new TypeError('x is not a function')
  const fails = (): never => {
    throw cause
  }
  await t.rejects(runHook(fails, {}, LIMITS), { code: 'HR_TRANSFORM_HOOK', cause })
})

void test('hooks are loaded by their names, and anew when their file has changed', async (t) => {
  const file = join(t.testdir(), 'hooks.mjs')
  const load = (name: string) => {
    const hook: HookReference = { file, name }
    return loadHooks([{ transform: { request: { hook }, response: { hook: null } } as TransformOptions }])
  }
  writeFileSync(file, 'export const a = () => ({ headers: { x: "1" } }); export const b = 1')
  t.same((await load('a')).get({ file, name: 'a' })({} as never), { headers: { x: '1' } })
  writeFileSync(file, 'export const a = () => ({ headers: { x: "2" } })')
  t.same((await load('a')).get({ file, name: 'a' })({} as never), { headers: { x: '2' } })
  await t.rejects(load('c'), { message: "The hook 'hooks.mjs#c' is not exported." })
  writeFileSync(file, 'export const a = (')
  await t.rejects(load('a'), { code: 'HR_TRANSFORM_HOOK_SOURCE', message: /cannot be loaded/ })
})

void test('what a hook does to the claims that it is shown is done to nobody', async (t) => {
  const options = { hookTimeoutMs: 20_000, request: { headers: null, query: null, body: null } } as TransformOptions
  const run = ({ claims }: RequestHookInput): void => {
    ;(claims['roles'] as string[]).push('admin')
  }
  const transform = new RequestTransform(options, {
    parameters: [],
    limitBytes: 1_000,
    hook: { run, name: 'hooks.ts#a' },
    failed: () => undefined,
  })
  const exchange = makeExchange({})
  // What a token was found to say is remembered for the next request with it.
  const claims = { roles: ['reader'] }
  exchange.identity = { id: 'ada', scheme: 'jwt', consumer: null, tier: null, groups: [], scopes: [], claims }
  t.equal(await transform.apply(exchange), undefined)
  t.same(claims.roles, ['reader'])
})
