import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'

void test('diff shows what a reload would change, reload changes it, and what is faulty stays out', async (t) => {
  const upstreams = { a: { targets: ['http://127.0.0.1:1'] } }
  const { cwd, adminUrl, running } = await runningGateway(t, { upstreams, routes: { '/x': { to: 'a' } } })
  const file = join(cwd, 'headrace.config.yaml')
  const first = readFileSync(file, 'utf8')
  t.same(await headrace(cwd, ['diff']), { code: 0, out: `✔ ${file} is what runs\n`, err: '' })

  const timeout = first.replace(
    '      - http://127.0.0.1:1\n',
    '      - http://127.0.0.1:1\n    timeout: { total: 5s }\n',
  )
  writeFileSync(file, `${timeout}  GET /y:\n    to: a\n    stripPrefix: true\n`)
  const lines = `~ upstreams.a.timeout.total  60s → 5s\n+ routes['GET /y']\n  + to: a\n  + stripPrefix: true\n`
  t.same(await headrace(cwd, ['diff']), {
    code: 1,
    out: `${lines}2 changes against configuration 1, which runs; headrace reload puts them into force\n`,
    err: '',
  })
  t.match(JSON.parse((await headrace(cwd, ['diff', '--json'])).out), { source: file, version: 1, changes: [{}, {}] })
  t.same(await headrace(cwd, ['reload']), { code: 0, out: `${lines}✔ configuration 2 in force\n`, err: '' })
  t.same(await headrace(cwd, ['reload']), {
    code: 0,
    out: '✔ configuration 2 unchanged; certificates have been read again\n',
    err: '',
  })

  // The command's own look at the file would stop it before it asks: it is to show what the gateway says.
  const access = ['--admin', adminUrl, '--token', running.token]
  writeFileSync(file, first.replace('to: a', 'to: b'))
  const faulty =
    /^headrace\.config\.yaml:\d+:\d+ routes\['\/x'\]\.to\n.*\n.*to: b\n[^]*✖ 1 problem\nerror The gateway at .* answered 422/
  t.match(await headrace(cwd, ['diff', ...access]), { code: 2, out: '', err: faulty })
  t.match(await headrace(cwd, ['reload', ...access]), { code: 1, out: '', err: faulty })

  writeFileSync(file, `${first}dataDir: elsewhere\n`)
  t.match(await headrace(cwd, ['diff', ...access]), {
    code: 1,
    out: /\n~ dataDir  \.headrace → elsewhere  restart needed\n/,
  })
  t.match(await headrace(cwd, ['reload', ...access]), {
    code: 1,
    out: '',
    err: /^~ dataDir .*restart needed\nerror .* answered 409: Restart needed for dataDir;/,
  })
  writeFileSync(file, first)
  t.match(await headrace(cwd, ['restart']), { code: 1, err: /HR_RESTART_SINGLE_PROCESS/ })
  t.match(await headrace(t.testdir({}), ['diff']), { code: 2, err: /^error No gateway runs here/ })
})

void test('restart follows the processes until all are replaced, and says what went wrong', async (t) => {
  const operation = (done: number) => ({
    operation: { kind: 'restart', startedAt: 5, done, total: 2 },
    lastFailure: null,
  })
  let answers: object[] = []
  const origin = await httpServer(t, (request, response) => {
    response.writeHead(request.method === 'POST' ? 202 : 200)
    response.end(JSON.stringify(answers.shift()))
  })
  const restart = (...more: string[]) => headrace('/', ['restart', '--admin', origin, '--token', 'x', ...more])
  answers = [operation(0), operation(1), { operation: null, lastFailure: null }]
  t.same(await restart(), { code: 0, out: '✔ 2 processes replaced\n', err: '' })
  t.same(answers, [])
  answers = [operation(0)]
  t.same(await restart('--no-wait'), { code: 0, out: '✔ 2 processes are being replaced\n', err: '' })
  const lastFailure = { code: 'HR_CONTROL_BOOT', message: 'It ended.', at: 6 }
  answers = [operation(0), { operation: null, lastFailure }]
  t.same(await restart(), { code: 1, out: '', err: 'error It ended. (HR_CONTROL_BOOT)\n' })
})
