import { test } from 'tap'
import { Reloader, type ReloaderOptions, type RollingRestart } from '../../../services/configuration/reloader.ts'
import type { ConfigChange, ConfigProblem } from '../../../services/configuration/report.ts'

interface Fake {
  shown: string
  effect: ConfigChange['effect']
}

const problem: ConfigProblem = {
  code: 'HR_CONFIG_TYPE',
  message: 'expected text',
  path: 'a.b',
  suggestion: null,
  source: 'x.yaml',
  line: 3,
  column: 7,
  excerpt: null,
}

/** A reloader whose configurations are words. What happens is in `events`, in order. */
function create(given: Partial<ReloaderOptions<Fake>> = {}) {
  const events: string[] = []
  let found: Fake | null = { shown: 'one', effect: 'reload' }
  const note = (details: object, message: string): void => void events.push(`${message} ${JSON.stringify(details)}`)
  const reloader = new Reloader<Fake>({
    initial: { shown: 'one', effect: 'reload' },
    source: 'x.yaml',
    load: async () => (found === null ? { ok: false, problems: [problem, problem] } : { ok: true, candidate: found }),
    compare: ({ shown: before }, { shown: after, effect }) =>
      before === after ? [] : [{ path: 'word', kind: 'changed', before, after, effect }],
    apply: async ({ shown }) => void events.push(`apply ${shown}`),
    readCertificates: async () => void events.push('certificates'),
    rolling: () => null,
    log: { info: note, error: note },
    now: () => 1000,
    ...given,
  })
  const find = (shown: string | null, effect: Fake['effect'] = 'reload'): void => {
    found = shown === null ? null : { shown, effect }
  }
  return { reloader, events, find }
}

const REQUEST = { trigger: 'request', force: false } as const

void test('what is found is put into force, by what it takes', async (t) => {
  const { reloader, events, find } = create()
  t.strictSame(await reloader.reload(REQUEST), { outcome: 'unchanged', version: 1, changes: [] })
  find('two')
  t.match(await reloader.reload({ trigger: 'signal', force: false }), { outcome: 'reloaded', version: 2 })
  t.match(reloader.report(), { version: 2, trigger: 'signal', settings: 'two', reloads: { succeeded: 2, failed: 0 } })
  find('three', 'certificates')
  t.match(await reloader.reload(REQUEST), { outcome: 'reloaded', version: 3 })
  t.match(await reloader.reload({ ...REQUEST, force: true }), { outcome: 'reloaded', version: 4 }, 'built anew')
  t.strictSame(
    events.filter((event) => !event.startsWith('Config')),
    ['certificates', 'apply two', 'certificates', 'apply three'],
  )
})

void test('what is faulty, wants a restart or cannot be had leaves what runs, and the reason is kept until one succeeds', async (t) => {
  const failing = Object.assign(new Error('Port 80 is taken.'), { code: 'HR_LISTENER_PORT_IN_USE', statusCode: 500 })
  const faults: (Error | null)[] = [failing, new TypeError('ours'), null]
  const { reloader, events, find } = create({
    apply: async () => {
      const fault = faults.shift()
      if (fault) throw fault
    },
  })
  const failure = async () => {
    const outcome = await reloader.reload(REQUEST)
    return outcome.outcome === 'refused' ? outcome.failure : outcome
  }
  find(null)
  t.match(await failure(), {
    code: 'HR_RELOAD_INVALID',
    status: 422,
    message: /^The configuration has 2 problems; .*: x\.yaml:3:7 a\.b: expected text$/,
    problems: [problem, problem],
  })
  find('two', 'restart')
  t.match(await failure(), { code: 'HR_RELOAD_RESTART_NEEDED', status: 409, message: /^Restart needed for word;/ })
  find('two')
  t.match(await failure(), {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: 'Port 80 is taken.',
    changes: [{ path: 'word' }],
  })
  t.match(await failure(), { code: 'HR_RELOAD_FAILED', status: 500 })
  t.notMatch(reloader.report().lastFailure?.message, 'ours', 'a fault of ours is for the log')
  t.match(events.at(-2), /Unexpected error/)
  t.match(reloader.report(), {
    version: 1,
    settings: 'one',
    operation: null,
    reloads: { succeeded: 0, failed: 4 },
    lastFailure: { at: 1000, trigger: 'request' },
  })
  t.match(await failure(), { outcome: 'reloaded', version: 2 })
  t.equal(reloader.report().lastFailure, null)
})

void test('one at a time: who asks is refused, and who waits for no answer is served afterwards, once', async (t) => {
  const hold = Promise.withResolvers<void>()
  const { reloader, events, find } = create({
    apply: async ({ shown }) => {
      events.push(`apply ${shown}`)
      await hold.promise
    },
  })
  find('two')
  const first = reloader.reload(REQUEST)
  t.match(reloader.report().operation, { kind: 'reload', startedAt: 1000 })
  t.match(await reloader.reload(REQUEST), { outcome: 'refused', failure: { code: 'HR_RELOAD_BUSY', status: 409 } })
  t.throws(() => reloader.restart(), { code: 'HR_RESTART_SINGLE_PROCESS' })
  await reloader.reloadLater('watch')
  await reloader.reloadLater('signal')
  find('three')
  hold.resolve()
  t.match(await first, { outcome: 'reloaded' })
  while (reloader.report().operation !== null) await new Promise(setImmediate)
  t.match(reloader.report(), { version: 3, trigger: 'signal', settings: 'three' })
  t.strictSame(
    events.filter((event) => event.startsWith('apply')),
    ['apply two', 'apply three'],
  )
})

void test('processes are restarted one after another, by themselves or where a forced reload finds nothing new', async (t) => {
  const begun: { progress(replaced: number): void; end: PromiseWithResolvers<void> }[] = []
  const rolling: RollingRestart = {
    processes: 3,
    run: async (progress) => {
      const end = Promise.withResolvers<void>()
      begun.push({ progress, end })
      await end.promise
    },
  }
  const { reloader } = create({ rolling: () => rolling })
  reloader.restart()
  begun[0]?.progress(2)
  t.match(reloader.report().operation, { kind: 'restart', done: 2, total: 3 })
  t.throws(() => reloader.restart(), { code: 'HR_RELOAD_BUSY' })
  begun[0]?.end.resolve()
  while (reloader.report().operation !== null) await new Promise(setImmediate)

  t.match(await reloader.reload({ ...REQUEST, force: true }), { outcome: 'restarting', version: 1 })
  t.match(reloader.report().operation, { kind: 'restart', done: 0 })
  begun[1]?.end.reject(Object.assign(new Error('Ended early.'), { code: 'HR_CONTROL_BOOT' }))
  while (reloader.report().operation !== null) await new Promise(setImmediate)
  t.match(reloader.report().lastFailure, { code: 'HR_CONTROL_BOOT', message: 'Ended early.' })
})

void test('a gateway that ends takes nothing more, and what that breaks off says so', async (t) => {
  const held = Promise.withResolvers<void>()
  const broken = Promise.withResolvers<void>()
  const { reloader, events, find } = create({
    apply: () => held.promise,
    rolling: () => ({ processes: 2, run: () => broken.promise }),
  })
  find('two')
  const applying = reloader.reload(REQUEST)
  reloader.end()
  held.reject(Object.assign(new Error('no such process'), { code: 'HR_CONTROL_CLOSED' }))
  const ending = { outcome: 'refused', version: 1, failure: { code: 'HR_RELOAD_ENDING', status: 503 } }
  t.match(await applying, ending)
  const told = events.length
  t.match(await reloader.reload({ trigger: 'signal', force: true }), ending)
  await reloader.reloadLater('watch')
  t.throws(() => reloader.restart(), { code: 'HR_RELOAD_ENDING', statusCode: 503 })
  t.equal(events.length, told, 'and the log hears of it once')

  const other = create({ rolling: () => ({ processes: 2, run: () => broken.promise }) })
  other.reloader.restart()
  other.reloader.end()
  broken.reject(new Error('no such process'))
  await broken.promise.catch(() => {})
  await new Promise(setImmediate)
  t.strictSame(other.events, ['The gateway ends; the restart broke off {"replaced":0,"processes":2}'])
  t.equal(other.reloader.report().lastFailure, null)
})

void test('a preview loads and compares, and changes nothing', async (t) => {
  const { reloader, events, find } = create()
  find('two')
  t.match(await reloader.preview(), { valid: true, source: 'x.yaml', version: 1, changes: [{ path: 'word' }] })
  find(null)
  t.match(await reloader.preview(), {
    valid: false,
    failure: { code: 'HR_RELOAD_INVALID', problems: [problem, problem] },
  })
  t.strictSame(events, [])
  t.match(reloader.report(), { version: 1, lastFailure: null, reloads: { succeeded: 0, failed: 0 } })
})
