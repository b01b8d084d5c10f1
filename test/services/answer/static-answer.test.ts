import { ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { resolveAnswer } from '../../../services/answer/options.ts'
import { StaticAnswer } from '../../../services/answer/static-answer.ts'
import { makeExchange, RecordedReply } from '../downstream/make-exchange.ts'

const same = (path: string): string => path

void test('an answer is written whole, and booked', async (t) => {
  const answer = new StaticAnswer('/a', resolveAnswer({ status: 404, headers: { 'X-A': 'b' }, body: 'no' }, same))
  const exchange = makeExchange()
  const reply = new RecordedReply()
  exchange.reply = reply
  exchange.requestId = 'id'
  let finished = 0
  const ends = { finish: () => void finished++, refuse: () => t.fail(), broke: () => t.fail() }
  t.equal(answer.take(exchange as never, ends), null)
  t.match(
    reply.told.join(),
    /^whole 404 x-a\|b\|content-type\|text\/plain; charset=utf-8\|date\|.* GMT\|x-request-id\|id 2$/,
  )
  t.strictSame([exchange.status, finished], [404, 1])
})

void test('a file that is not there, or too large, stops the start with its route', async (t) => {
  const at = (file: string) => () => new StaticAnswer('/a', resolveAnswer({ status: 200, headers: {}, file }, same))
  t.throws(at('/nowhere.txt'), { code: 'HR_ROUTE_ANSWER_FILE', message: /the answer of '\/a'.*\/nowhere\.txt/i })
  const large = join(t.testdir({}), 'large')
  ftruncateSync(openSync(large, 'w'), 8 * 1024 * 1024 + 1)
  t.throws(at(large), { code: 'HR_ROUTE_ANSWER_FILE', message: /8 MiB is the most/ })
})
