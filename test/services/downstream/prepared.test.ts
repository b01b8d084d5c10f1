import { test } from 'tap'
import { type Prepared, preparedHead } from '../../../services/downstream/prepared.ts'

const answer = (etag: string): Prepared => ({
  told: { status: 200, fields: ['etag', etag, 'age', '5'], body: 'hello' },
  head: undefined,
})

void test('a head is made once, without an age, and kept for the answers that were sent last', async (t) => {
  const first = answer('"1"')
  const head = 'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 5\r\n'
  t.equal(preparedHead(first), head)
  t.equal(first.head, head)
  const others = Array.from({ length: 10_000 }, (_, index) => answer(`"${index}"`))
  for (const other of others) preparedHead(other)
  t.equal(first.head, undefined)
  const kept = others.filter((other) => other.head !== undefined)
  t.ok(kept.length > 0 && kept.length < 1_000, `${kept.length} of 10,000`)
  t.equal(kept.at(-1), others.at(-1))
  t.equal(preparedHead(first), head, 'and made again when it is wanted')
})
