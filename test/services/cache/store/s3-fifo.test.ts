import { test } from 'tap'
import { type Queued, S3Fifo, use } from '../../../../services/cache/store/s3-fifo.ts'

const item = (key: string, bytes = 1): Queued => ({ key, bytes, uses: 0, queue: null, newer: null, older: null })

/** A cache of ten items of one byte, say. */
function cache(maxItems = 10, maxBytes = 1e9) {
  const order = new S3Fifo<Queued>({ maxItems, maxBytes })
  const held = new Map<string, Queued>()
  let bytes = 0
  const get = (key: string, size = 1): void => {
    const known = held.get(key)
    if (known !== undefined) return use(known)
    while (held.size >= maxItems || bytes + size > maxBytes) {
      const gone = order.evict()!
      held.delete(gone.key)
      bytes -= gone.bytes
    }
    const made = item(key, size)
    held.set(key, made)
    order.add(made)
    bytes += size
  }
  return { order, held, get }
}

void test('what is used stays while a crawler asks for everything once', async (t) => {
  const { held, get } = cache()
  for (let round = 0; round < 3; round++) for (const key of ['a', 'b', 'c']) get(key)
  for (let i = 0; i < 1_000; i++) get(`crawled ${i}`)
  t.ok(['a', 'b', 'c'].every((key) => held.has(key)))
})

void test('what comes back soon after it was let go is taken for popular', async (t) => {
  const { held, get } = cache()
  for (let i = 0; i < 11; i++) get(`k${i}`)
  t.notOk(held.has('k0'))
  get('k0')
  for (let i = 0; i < 15; i++) get(`crawled ${i}`)
  t.ok(held.has('k0'))
  t.notOk(held.has('k5'))
})

void test('what was popular once goes when it is used no more', async (t) => {
  const { held, get } = cache()
  const ask = (name: string): void => {
    for (let round = 0; round < 5; round++) for (let i = 0; i < 9; i++) get(`${name} ${i}`)
  }
  ask('old')
  for (let again = 0; again < 10; again++) ask('new')
  // There is room for one more than is asked for now.
  t.ok([...held.keys()].filter((key) => key.startsWith('old')).length <= 1)
})

void test('at equal use the lighter stays', async (t) => {
  const { held, get } = cache(1_000, 1_000)
  for (let round = 0; round < 3; round++) {
    get('heavy', 300)
    for (let i = 0; i < 10; i++) get(`light ${i}`, 10)
  }
  for (let i = 0; i < 200; i++) get(`crawled ${i}`, 10)
  t.notOk(held.has('heavy'))
  t.ok(held.has('light 0'))
})

void test('each item is let go once, whatever its uses, and then there is none', async (t) => {
  const order = new S3Fifo<Queued>({ maxItems: 10, maxBytes: 100 })
  const items = Array.from({ length: 50 }, (_, i) => item(`${i}`, 1 + (i % 7)))
  items.forEach((each, i) => {
    order.add(each)
    for (let uses = 0; uses < i % 5; uses++) use(each)
  })
  order.remove(items[10]!)
  order.remove(items[10]!)
  const gone: (Queued | undefined)[] = items.map(() => order.evict())
  t.equal(new Set(gone).size, 50)
  t.equal(gone.at(-1), undefined)
  t.notOk(gone.includes(items[10]))
})

void test('a replacement takes place and uses of what it replaces', async (t) => {
  const order = new S3Fifo<Queued>({ maxItems: 10, maxBytes: 1e9 })
  const [previous, next, other] = [item('a'), item('a', 5), item('b')]
  order.add(previous)
  use(previous)
  use(previous)
  order.add(other)
  order.replace(previous, next)
  t.equal(next.uses, 2)
  t.equal(previous.queue, null)
  t.equal(order.evict(), other)
  t.equal(order.evict(), next)
  t.equal(order.evict(), undefined)
})

void test('cleared, it knows nothing, not even what it let go', async (t) => {
  const { order, get, held } = cache()
  for (let i = 0; i < 11; i++) get(`k${i}`)
  const first = held.get('k5')!
  order.clear()
  t.equal(order.evict(), undefined)
  t.equal(first.queue, null)
  const back = item('k0')
  order.add(back)
  order.add(item('x'))
  t.equal(order.evict(), back)
})
