import { createGzip, gunzipSync } from 'node:zlib'
import { test } from 'tap'
import { CodedBody } from '../../../services/compression/coded-body.ts'
import { RecordedReply } from '../downstream/make-exchange.ts'

/** A client's reply that can be behind, and can be left. */
class Client extends RecordedReply {
  readonly chunks: Uint8Array[] = []
  readonly first = Promise.withResolvers<void>()
  readonly over = Promise.withResolvers<string>()
  isBehind = false
  leave: () => void = () => undefined
  #caughtUp: (() => void) | undefined

  override closed(callback?: () => void): void {
    if (callback !== undefined) this.leave = callback
  }

  override write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk)
    this.first.resolve()
    return !this.isBehind
  }

  override drained(callback: () => void): void {
    this.#caughtUp = callback
  }

  catchUp(): void {
    this.isBehind = false
    this.#caughtUp?.()
  }

  override end(): void {
    this.over.resolve('ended')
  }

  override abort(): void {
    this.over.resolve('aborted')
  }
}

void test('the coder goes when its client leaves, and who waits for it goes on', async (t) => {
  const client = new Client()
  const coder = createGzip()
  const body = new CodedBody(client, [coder], null)
  body.write(Buffer.alloc(1000))
  let resumed = 0
  body.drained(() => resumed++)
  client.leave()
  t.ok(coder.destroyed)
  t.equal(resumed, 1)
  body.drained(() => resumed++)
  t.equal(resumed, 2, 'at once from then on')
  t.ok(body.write(Buffer.from('more')), 'and nobody is held up')
  body.end(undefined, undefined)
  t.same(client.chunks, [])
})

void test('a client that has left already needs no coder', (t) => {
  const client = new Client()
  client.gone = true
  const coder = createGzip()
  void new CodedBody(client, [coder], null)
  t.ok(coder.destroyed)
  t.end()
})

void test('a client that is behind is waited for', async (t) => {
  const client = new Client()
  client.isBehind = true
  const coder = createGzip({ level: 0 })
  const body = new CodedBody(client, [coder], null)
  const block = Buffer.alloc(65_536, 'x')
  while (body.write(block));
  await client.first.promise
  t.ok(coder.isPaused(), 'nothing more comes until it has caught up')
  t.equal(client.chunks.length, 1)
  const drained = new Promise<void>((resolve) => body.drained(resolve))
  client.catchUp()
  await drained
  body.end(undefined, undefined)
  t.equal(await client.over.promise, 'ended')
  t.ok(gunzipSync(Buffer.concat(client.chunks)).every((byte) => byte === 0x78))
})

void test('a body that is shorter, or longer, than it was said to be breaks off', async (t) => {
  for (const length of [1, 10]) {
    const client = new Client()
    const body = new CodedBody(client, [createGzip()], length)
    body.end(Buffer.from('hello'), undefined)
    t.equal(await client.over.promise, 'aborted', `${length} bytes`)
  }
})
