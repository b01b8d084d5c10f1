import { test } from 'tap'
import type { OpenapiWarning } from '../../../services/openapi/document.ts'
import { UpstreamDocuments, type DocumentsClock } from '../../../services/openapi/documents.ts'
import type { RequestUpstream } from '../../../services/openapi/source.ts'

/** An upstream that answers as it is told, and a clock that is turned by hand. */
function scene() {
  const warnings: OpenapiWarning[] = []
  const timers: { ms: number; call: () => void }[] = []
  const state = { now: 0, body: '{"openapi":"3.1.0"}', isUp: true, asked: 0 }
  const clock: DocumentsClock = {
    now: () => state.now,
    after: (ms, call) => {
      const timer = { ms, call }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1)
    },
    deadline: () => new AbortController().signal,
  }
  const request: RequestUpstream = async () => {
    state.asked++
    if (!state.isUp) throw new Error('connect ECONNREFUSED')
    const { body } = state
    return {
      status: 200,
      body: (async function* () {
        yield Buffer.from(body)
      })(),
    }
  }
  const documents = new UpstreamDocuments({
    sources: [{ upstream: 'fleet', location: '/openapi.json', targets: [] }],
    request,
    clock,
    onWarning: (warning) => warnings.push(warning),
  })
  return { documents, state, timers, warnings }
}

void test('who asks while the first load is under way waits for it', async (t) => {
  const { documents, state } = scene()
  documents.start()
  const [fleet] = await documents.current()
  t.match(fleet?.specification?.document, { openapi: '3.1.0' })
  t.equal(state.asked, 1)
})

void test('an upstream that is down is tried again, after 1 s, then twice as long each time, to 60 s', async (t) => {
  const { documents, state, timers, warnings } = scene()
  state.isUp = false
  documents.start()
  const waits: number[] = []
  for (let n = 0; n < 8; n++) {
    await documents.current()
    await documents.refresh()
    waits.push(timers[0]?.ms ?? 0)
    t.equal(timers.length, 1, 'one retry is planned')
  }
  t.same(waits, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  t.match(warnings, [{ code: 'HR_OPENAPI_UNAVAILABLE', upstream: 'fleet' }])
  t.equal(warnings.length, 1, 'the same failure is told once')
  state.isUp = true
  timers[0]?.call()
  const [fleet] = await documents.refresh()
  t.ok(fleet?.specification)
  t.equal(fleet?.failure, undefined)
  t.equal(timers.length, 0)
})

void test('being asked does not hasten a retry', async (t) => {
  const { documents, state } = scene()
  state.isUp = false
  documents.start()
  await documents.current()
  state.now = 3_600_000
  await documents.current()
  await documents.current()
  t.equal(state.asked, 1)
})

void test('a stale document is handed out while it is loaded again, and the revision grows when it has changed', async (t) => {
  const { documents, state } = scene()
  documents.start()
  await documents.current()
  const { revision } = documents
  state.now = 60_001
  state.body = '{"openapi":"3.1.1"}'
  const [before] = await documents.current()
  t.match(before?.specification?.document, { openapi: '3.1.0' })
  const [after] = await documents.refresh()
  t.match(after?.specification?.document, { openapi: '3.1.1' })
  t.equal(state.asked, 2, 'the refresh joined the load under way')
  t.equal(documents.revision, revision + 1)
  await documents.refresh()
  t.equal(documents.revision, revision + 1, 'the same bytes are no change')
})

void test('the last good document stays while the upstream is away', async (t) => {
  const { documents, state, warnings } = scene()
  documents.start()
  await documents.current()
  state.isUp = false
  const [fleet] = await documents.refresh()
  t.ok(fleet?.specification)
  t.match(fleet?.failure, { code: 'HR_OPENAPI_UNAVAILABLE' })
  t.equal(warnings.length, 1)
})

void test('nothing is planned or told after close', async (t) => {
  const { documents, state, timers, warnings } = scene()
  state.isUp = false
  documents.start()
  const loading = documents.current()
  documents.close()
  await loading
  await documents.refresh()
  t.same([timers.length, warnings.length, state.asked], [0, 0, 1])
})
