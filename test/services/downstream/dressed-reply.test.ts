import { test } from 'tap'
import { dress } from '../../../services/downstream/dressed-reply.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import type { Reply } from '../../../services/downstream/reply.ts'

function recording(): { exchange: Exchange; heads: unknown[] } {
  const heads: unknown[] = []
  const reply = {
    head: (status: number, fields: string[], length: number | null) => heads.push([status, fields, length]),
    whole: (_prepared: unknown, own: readonly string[]) => heads.push(own),
  }
  return { exchange: { reply: reply as unknown as Reply } as Exchange, heads }
}

void test('what is told one client stands in its answer alone, whoever answers', async (t) => {
  const { exchange, heads } = recording()
  dress(exchange, 'ratelimit', '"a";r=1')
  dress(exchange, 'vary', 'origin')
  const fields = ['content-type', 'text/plain']
  exchange.reply.head(200, fields, 3)
  t.strictSame(fields, ['content-type', 'text/plain'], 'what may be stored has none of it')
  exchange.reply.whole({} as never, ['age', '1'])
  t.strictSame(heads, [
    [200, ['content-type', 'text/plain', 'ratelimit', '"a";r=1', 'vary', 'origin'], 3],
    ['age', '1', 'ratelimit', '"a";r=1', 'vary', 'origin'],
  ])
})
