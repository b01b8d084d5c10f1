import { test } from 'tap'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'

void test('log shows the level of the running gateway, and sets it', async (t) => {
  const { cwd, running } = await runningGateway(t)
  t.same(await headrace(cwd, ['log']), { code: 0, out: 'silent\n', err: '' })
  t.same(await headrace(cwd, ['log', 'fatal']), {
    code: 0,
    out: '✔ fatal in 1 process, until the next start\n',
    err: '',
  })
  t.equal((await running.control.ask('log-level')).result, 'fatal')
  t.match(await headrace(cwd, ['log']), { code: 0, out: 'fatal\n' })
})

void test('a level that does not exist is refused before anything is asked', async (t) => {
  const { code, out, err } = await headrace('/nonexistent', ['log', 'debgu'])
  t.same({ code, out }, { code: 2, out: '' })
  t.match(err, "'debgu' is no log level; did you mean 'debug'?")
  t.match((await headrace('/nonexistent', ['log', 'loudest'])).err, 'trace, debug, info')
})

void test('log names the processes that did not say their level', async (t) => {
  const origin = await httpServer(t, (_request, response) => {
    response.end(JSON.stringify({ level: 'info', missing: [{ process: 2, pid: null, reason: 'starting' }] }))
  })
  t.same(await headrace('/', ['log', '--admin', origin, '--token', 'x']), {
    code: 0,
    out: 'info\n',
    err: 'warning process 2 did not answer: starting\n',
  })
})
