import { EventEmitter } from 'node:events'
import { createServer, type Server } from 'node:net'
import { test } from 'tap'
import { bind } from '../../../services/listener/bind.ts'

/** What the system refuses: which ports it forbids depends on who runs the tests, and others cannot be brought about. */
const refusing = (code: string): Server =>
  Object.assign(new EventEmitter(), {
    listen(this: EventEmitter) {
      this.emit('error', Object.assign(new Error(`listen ${code}`), { code }))
    },
  }) as unknown as Server

const where = { host: '127.0.0.1', port: 80, setting: 'listen.port in the configuration' }

for (const [code, error] of [
  [
    'EADDRINUSE',
    { code: 'HR_LISTENER_PORT_IN_USE', message: /80 on 127\.0\.0\.1.*listen\.port in the configuration/s },
  ],
  ['EACCES', { code: 'HR_LISTENER_PORT_FORBIDDEN', message: /80/ }],
  ['EPERM', { code: 'HR_LISTENER_PORT_FORBIDDEN', message: /80/ }],
  ['EADDRNOTAVAIL', { code: 'HR_LISTENER_ADDRESS', message: /127\.0\.0\.1/ }],
  ['EMFILE', { code: 'HR_LISTENER_FAILED', message: /127\.0\.0\.1 port 80: EMFILE/ }],
] as const) {
  void test(`${code} is ${error.code}, which says where`, async (t) => {
    await t.rejects(bind(refusing(code), where), { ...error, cause: { code } })
  })
}

void test('an address that is not of this machine', async (t) => {
  const server = createServer()
  // TEST-NET-3 (RFC 5737): nobody has it.
  await t.rejects(bind(server, { ...where, host: '203.0.113.1', port: 0 }), { code: 'HR_LISTENER_ADDRESS' })
})
