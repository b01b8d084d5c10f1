import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import { loadSpecification, type RequestUpstream, type UpstreamAnswer } from '../../../services/openapi/source.ts'

const never = new AbortController().signal
const source = { upstream: 'fleet', location: '/openapi.json', targets: ['http://127.0.0.1:4001'] }

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** Answers by path, and keeps what it was asked. */
function answering(answers: Record<string, () => UpstreamAnswer>): { request: RequestUpstream; asked: string[] } {
  const asked: string[] = []
  const request: RequestUpstream = async (_upstream, path) => {
    asked.push(path)
    return answers[path]?.() ?? { status: 404, body: chunks() }
  }
  return { request, asked }
}

const document = (): UpstreamAnswer => ({ status: 200, body: chunks('{"openapi":', '"3.1.0"}') })

void test('a specification comes from the upstream, and unchanged bytes give the same object', async (t) => {
  const { request } = answering({ '/openapi.json': document })
  const first = await loadSpecification(source, request, { signal: never })
  t.match(first, { upstream: 'fleet', base: '/openapi.json', document: { openapi: '3.1.0' } })
  t.equal(await loadSpecification(source, request, { signal: never, known: first }), first)
})

void test('a specification comes from a file', async (t) => {
  const directory = t.testdir({ 'a b.yaml': 'openapi: 3.0.0' })
  const location = pathToFileURL(`${directory}/a b.yaml`).href
  const { request, asked } = answering({})
  t.match(await loadSpecification({ ...source, location }, request, { signal: never }), { base: '/' })
  t.same(asked, [])
  await t.rejects(loadSpecification({ ...source, location: `${location}x` }, request, { signal: never }), {
    code: 'HR_OPENAPI_UNAVAILABLE',
    message: /ENOENT/,
  })
})

void test('redirects are followed on the same origin only, and not forever', async (t) => {
  const to = (location: string) => (): UpstreamAnswer => ({ status: 302, location, body: chunks('moved') })
  const relative = answering({ '/openapi.json': to('v1/spec.json?x=1'), '/v1/spec.json?x=1': document })
  t.match(await loadSpecification(source, relative.request, { signal: never }), { base: '/v1/spec.json?x=1' })
  const absolute = answering({ '/openapi.json': to('http://127.0.0.1:4001/spec'), '/spec': document })
  t.match(await loadSpecification(source, absolute.request, { signal: never }), { base: '/spec' })
  const elsewhere = answering({ '/openapi.json': to('http://169.254.169.254/latest'), '/latest': document })
  await t.rejects(loadSpecification(source, elsewhere.request, { signal: never }), { message: /another origin/ })
  t.same(elsewhere.asked, ['/openapi.json'])
  const loop = answering({ '/openapi.json': to('/openapi.json') })
  await t.rejects(loadSpecification(source, loop.request, { signal: never }), { message: /more than 3 times/ })
})

void test('a body beyond 8 MiB is given up, from upstream or file, and its stream is ended', async (t) => {
  let isEnded = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      while (true) yield Buffer.alloc(1024 * 1024)
    } finally {
      isEnded = true
    }
  }
  const { request } = answering({ '/openapi.json': () => ({ status: 200, body: endless() }) })
  await t.rejects(loadSpecification(source, request, { signal: never }), { message: /larger than 8 MiB/ })
  t.equal(isEnded, true)
  const file = `${t.testdir()}/large.json`
  writeFileSync(file, Buffer.alloc(8 * 1024 * 1024 + 1, ' '))
  const location = pathToFileURL(file).href
  await t.rejects(loadSpecification({ ...source, location }, request, { signal: never }), { message: /larger than/ })
})

void test('an answer that is not 200 and a failed request say so', async (t) => {
  await t.rejects(loadSpecification(source, answering({}).request, { signal: never }), { message: /answered 404/ })
  const refused: RequestUpstream = () => Promise.reject(new Error('connect ECONNREFUSED'))
  await t.rejects(loadSpecification(source, refused, { signal: never }), {
    code: 'HR_OPENAPI_UNAVAILABLE',
    message: /ECONNREFUSED/,
  })
})

void test('a body that is not wanted is ended, and one that breaks off says so', async (t) => {
  const unwanted = Readable.from([Buffer.from('not found'), Buffer.from('at all')])
  const { request } = answering({ '/openapi.json': () => ({ status: 500, body: unwanted }) })
  await t.rejects(loadSpecification(source, request, { signal: never }), { message: /answered 500/ })
  t.equal(unwanted.destroyed, true)
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"openapi"')
    throw new Error('other side closed')
  }
  const cut = answering({ '/openapi.json': () => ({ status: 200, body: broken() }) })
  await t.rejects(loadSpecification(source, cut.request, { signal: never }), {
    code: 'HR_OPENAPI_UNAVAILABLE',
    message: /GET \/openapi\.json failed: other side closed/,
  })
})

void test('the deadline ends a load whose upstream does not listen to it', async (t) => {
  const controller = new AbortController()
  const silent: RequestUpstream = () => new Promise(() => {})
  const load = loadSpecification(source, silent, { signal: controller.signal })
  controller.abort()
  await t.rejects(load, { code: 'HR_OPENAPI_UNAVAILABLE', message: /in time/ })
})
