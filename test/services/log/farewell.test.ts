import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import { announce } from '../../../services/log/announce.ts'
import { type Farewell, farewell } from '../../../services/log/farewell.ts'

const AT: Farewell = {
  signal: 'SIGINT',
  open: { requests: 2, connections: 5 },
  deadlineAt: new Date(2026, 0, 1, 21, 4, 35).getTime(),
}

void test('it says what is waited for, until when, and how to end it', async (t) => {
  const text = (change: Partial<Farewell>): string => farewell({ ...AT, ...change }).text(false)
  t.equal(text({}), '\n  drain  2 requests in flight, until 21:04:35 at the latest  Ctrl-C again ends it now\n\n')
  t.match(text({ open: { requests: 1, connections: 1 } }), '  drain  1 request in flight, until')
  t.match(text({ open: { requests: 0, connections: 1 } }), '  drain  1 idle connection, until')
  t.match(text({ signal: 'SIGTERM' }), '  Ctrl-C ends it now\n')
  t.equal(text({ open: { requests: 0, connections: 0 } }), '', 'nothing to wait for, nothing to say')
  t.equal(text({ open: null }), '')
  t.equal(stripVTControlCharacters(farewell(AT).text(true)), text({}))
})

void test('a terminal gets text, who collects lines a line, and one of each both', async (t) => {
  const said = (stdout: boolean, stderr: boolean): string[] => {
    const heard: string[] = []
    const writable = new Writable({
      write(text, _encoding, done) {
        heard.push(String(text))
        done()
      },
    })
    announce(
      { text: () => 'text', message: 'line', fields: { a: 1 } },
      {
        log: { info: (fields, message) => void heard.push(`${message} ${JSON.stringify(fields)}`), flush: () => {} },
        stdout: { isTTY: stdout },
        stderr: Object.assign(writable, { isTTY: stderr }),
      },
    )
    return heard
  }
  t.same(said(true, true), ['text'])
  t.same(said(false, false), ['line {"a":1}'])
  t.same(said(false, true), ['text', 'line {"a":1}'])
  t.same(said(true, false), ['line {"a":1}'])
})
