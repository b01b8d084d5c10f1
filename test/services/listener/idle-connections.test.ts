import { test } from 'tap'
import type { Connection, Connections } from '../../../services/listener/connections.ts'
import { createListenerCounters } from '../../../services/listener/counters.ts'
import { createIdleConnectionCheck } from '../../../services/listener/idle-connections.ts'

function connection(state: Partial<Connection>, bytesRead = 100) {
  const socket = { bytesRead, writableLength: 0, destroyed: false, destroy: () => void (socket.destroyed = true) }
  return { served: true, isParsed: true, active: 0, idleSince: 0, bytesRead: -1, ...state, socket }
}

const check = (idleTimeoutMs: number, ...connections: object[]): ((now: number) => void) =>
  createIdleConnectionCheck({
    connections: connections as unknown as Connections,
    counters: createListenerCounters(),
    idleTimeoutMs,
    headerTimeoutMs: 10_000,
  })

void test('a connection is closed when nothing has come for the idle timeout, and not before', (t) => {
  const idle = connection({})
  const look = check(1_000, idle)
  look(999)
  look(1_000)
  t.notOk(idle.socket.destroyed, 'the first look after the time only notes how much has come')
  look(1_001)
  t.ok(idle.socket.destroyed)
  t.end()
})

void test('the head of the next request may be on its way in', (t) => {
  const dripping = connection({})
  const look = check(1_000, dripping)
  for (let now = 2_000; now < 20_000; now += 1_000) {
    dripping.socket.bytesRead++
    look(now)
  }
  t.notOk(dripping.socket.destroyed)
  t.end()
})

void test('an answer may still be on its way out, and its time begins behind it', (t) => {
  const slow = connection({})
  slow.socket.writableLength = 1
  const look = check(1_000, slow)
  for (let now = 1_000; now <= 20_000; now += 1_000) look(now)
  t.notOk(slow.socket.destroyed)
  slow.socket.writableLength = 0
  look(20_500)
  look(20_900)
  t.notOk(slow.socket.destroyed)
  for (const now of [21_500, 22_000]) look(now)
  t.ok(slow.socket.destroyed)
  t.end()
})

void test('busy connections stay, and those before their first request have their own timeout', (t) => {
  const busy = connection({ active: 1 })
  const fresh = connection({ served: false })
  const look = check(1_000, busy, fresh)
  for (const now of [5_000, 6_000, 7_000]) look(now)
  t.notOk(busy.socket.destroyed)
  t.notOk(fresh.socket.destroyed)
  t.end()
})

void test('0 keeps them for ever', (t) => {
  const idle = connection({})
  const look = check(0, idle)
  for (const now of [5_000, 1e12]) look(now)
  t.notOk(idle.socket.destroyed)
  t.end()
})
