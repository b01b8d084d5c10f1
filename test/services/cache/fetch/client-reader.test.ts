import { test } from 'tap'
import { ClientReader } from '../../../../services/cache/fetch/client-reader.ts'
import { FillBudget } from '../../../../services/cache/fetch/fill-budget.ts'
import { SharedBody } from '../../../../services/cache/fetch/shared-body.ts'
import type { Exchange } from '../../../../services/downstream/exchange.ts'
import type { Reply } from '../../../../services/downstream/reply.ts'
import { Deadlines } from '../../../../services/upstream/deadlines.ts'

const CHUNK = Buffer.from('chunk')

/** A client that takes what a test lets it. */
class Client {
  text = ''
  ending: 'end' | 'abort' | undefined
  ends = 0
  trailers: string[] | undefined
  gone = false
  takes: () => boolean = () => true
  goOn: () => void = () => undefined

  write(chunk: Uint8Array): boolean {
    const isTaken = this.takes()
    this.text += Buffer.from(chunk).toString()
    return isTaken
  }
  drained(callback: () => void): void {
    this.goOn = callback
  }
  end(_chunk?: Uint8Array, trailers?: string[]): void {
    this.ending = 'end'
    this.ends++
    this.trailers = trailers
  }
  abort(): void {
    this.ending = 'abort'
  }
}

function reading({ body = new SharedBody(1000, new FillBudget(1e6)), sendTimeoutMs = 0 } = {}) {
  const client = new Client()
  let now = 0
  const deadlines = new Deadlines({ tickMs: 1e6, now: () => now })
  const exchange = { reply: client as unknown as Reply, code: '', work: undefined } as unknown as Exchange
  const told = { done: 0, broke: [] as unknown[] }
  const reader = new ClientReader({
    exchange,
    body,
    deadlines,
    sendTimeoutMs,
    done: () => told.done++,
    broke: (error) => {
      told.broke.push(error)
      exchange.work?.cancel()
    },
  })
  const at = (time: number): void => {
    now = time
    deadlines.tick()
  }
  return { reader, client, body, exchange, told, at }
}

void test('a client gets all, with the trailers, and is done once', (t) => {
  const { reader, client, body, exchange, told } = reading()
  body.push(CHUNK)
  reader.start()
  t.equal(exchange.work, reader)
  body.push(CHUNK)
  t.equal(client.ending, undefined)
  body.complete(['a', 'b'])
  t.strictSame([client.text, client.ending, client.trailers], ['chunkchunk', 'end', ['a', 'b']])
  t.strictSame([told.done, exchange.work, exchange.code, body.readers], [1, undefined, '', 0])
  reader.cancel()
  reader.advance()
  t.strictSame([told.done, exchange.code, client.ends], [1, '', 1], 'it leaves after the end')
  t.end()
})

void test('a client that leaves with the end is done once, and what works for it next goes on', (t) => {
  const { reader, client, body, exchange, told } = reading()
  reader.start()
  const next = { cancel: () => undefined }
  client.end = () => {
    reader.cancel()
    exchange.work = next
  }
  body.complete(undefined)
  t.strictSame([told.done, exchange.work], [1, next])
  t.end()
})

void test('what breaks off breaks off for the client, after what there was', (t) => {
  const { reader, client, body, told } = reading()
  reader.start()
  body.push(CHUNK)
  body.fail()
  t.strictSame([client.text, client.ending, told.done], ['chunk', 'abort', 1])
  t.end()
})

void test('a client that is behind gets no more until it has caught up', (t) => {
  const { reader, client, body, told } = reading()
  reader.start()
  client.takes = () => false
  body.push(CHUNK)
  client.takes = () => true
  body.push(CHUNK)
  body.complete(undefined)
  t.strictSame([client.text, client.ending, told.done], ['chunk', undefined, 0])
  client.goOn()
  t.strictSame([client.text, client.ending, told.done], ['chunkchunk', 'end', 1])
  client.goOn()
  t.equal(told.done, 1)
  t.end()
})

void test('a client that has left is read for no more, whether its writes say so or its end', (t) => {
  for (const how of ['write', 'cancel'] as const) {
    const { reader, client, body, exchange, told } = reading()
    reader.start()
    if (how === 'write') {
      client.takes = () => {
        client.gone = true
        return false
      }
      body.push(CHUNK)
    } else {
      reader.cancel()
    }
    t.strictSame([told.done, exchange.code, body.readers], [1, 'CLIENT_ABORT', 0], how)
    body.push(CHUNK)
    t.equal(client.text.length, how === 'write' ? 5 : 0)
  }
  t.end()
})

void test('a client that takes nothing in its time is cut off; one that does is not', (t) => {
  const stalled = reading({ sendTimeoutMs: 100 })
  stalled.reader.start()
  stalled.client.takes = () => false
  stalled.body.push(CHUNK)
  stalled.at(0)
  t.equal(stalled.client.ending, undefined)
  stalled.at(performance.now() + 1000)
  t.strictSame([stalled.client.ending, stalled.exchange.code, stalled.told.done], ['abort', 'CLIENT_STALLED', 1])
  stalled.client.goOn()
  t.equal(stalled.client.text, 'chunk')

  const slow = reading({ sendTimeoutMs: 100 })
  slow.reader.start()
  slow.client.takes = () => false
  slow.body.push(CHUNK)
  slow.client.takes = () => true
  slow.client.goOn()
  slow.at(performance.now() + 1000)
  t.equal(slow.client.ending, undefined)

  const left = reading({ sendTimeoutMs: 100 })
  left.reader.start()
  left.client.takes = () => false
  left.body.push(CHUNK)
  left.reader.cancel()
  left.at(performance.now() + 1000)
  t.strictSame([left.client.ending, left.exchange.code], [undefined, 'CLIENT_ABORT'])

  const patient = reading({ sendTimeoutMs: 0 })
  patient.reader.start()
  patient.client.takes = () => false
  patient.body.push(CHUNK)
  patient.at(performance.now() + 1e9)
  t.equal(patient.client.ending, undefined, '0: for ever')
  t.end()
})

void test('a client that the gateway fails on is told of, and the others read on', (t) => {
  const body = new SharedBody(1000, new FillBudget(1e6))
  const [broken, whole] = [reading({ body }), reading({ body })]
  const error = new Error('it fails')
  broken.reader.start()
  whole.reader.start()
  broken.client.takes = () => {
    throw error
  }
  body.push(CHUNK)
  body.complete(undefined)
  t.strictSame(broken.told, { done: 1, broke: [error] })
  t.strictSame([whole.client.text, whole.client.ending, whole.told], ['chunk', 'end', { done: 1, broke: [] }])
  t.end()
})

void test('a body that is not kept goes on once a client has caught up, or has gone', (t) => {
  for (const how of ['goOn', 'cancel'] as const) {
    const body = new SharedBody(0, new FillBudget(1e6))
    const { reader, client } = reading({ body })
    let resumed = 0
    reader.start()
    client.takes = () => false
    while (body.push(Buffer.alloc(100_000)));
    body.drained(() => resumed++)
    t.equal(resumed, 0)
    client.takes = () => true
    if (how === 'goOn') client.goOn()
    else reader.cancel()
    t.equal(resumed, 1, how)
  }
  t.end()
})
