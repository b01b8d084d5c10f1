import { test } from 'tap'
import { prettyLines, sentence } from '../../../services/log/logger.ts'

void test('on a terminal a request begins with what matters of it', async (t) => {
  const request = { msg: 'request', method: 'GET', path: '/a?b=1', status: 200, durationMs: 3.1, client: '127.0.0.1' }
  t.equal(sentence(request, 'msg'), 'GET /a?b=1 200 3.1 ms')
})

void test('other lines keep their message, and what is hidden among the fields follows it', async (t) => {
  t.equal(sentence({ msg: 'drained', open: 3 }, 'msg'), 'drained')
  t.equal(sentence({ msg: 'left out', path: '/x' }, 'msg'), 'left out /x')
  t.equal(sentence({ open: 3 }, 'msg'), '')
})

void test('what a client sends moves no cursor and begins no line', async (t) => {
  t.equal(sentence({ msg: 'request', path: '/\u001b[2J\n' }, 'msg'), '/\\u001b[2J\\n')
})

void test('text for people takes the way of all lines, one line each', async (t) => {
  const written: string[] = []
  const lines = prettyLines({ write: (text) => void written.push(text) }, false)
  const request = {
    level: 30,
    time: 0,
    pid: 1,
    msg: 'request',
    method: 'GET',
    path: '/a',
    status: 200,
    durationMs: 3.1,
  }
  lines.write(`${JSON.stringify({ ...request, cache: 'hit' })}\n`)
  lines.write(`${JSON.stringify({ level: 50, time: 0, msg: 'drained' })}\n`)
  t.strictSame(
    written.map((text) => text.replace(/^\[.*?\] /, '')),
    ['INFO: GET /a 200 3.1 ms {"cache":"hit"}\n', 'ERROR: drained\n'],
  )
})
