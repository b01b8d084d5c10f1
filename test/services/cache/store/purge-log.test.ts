import { test } from 'tap'
import { PurgeLog } from '../../../../services/cache/store/purge-log.ts'

const key = 'GET https://a/b'

void test('what began before a purge that covers it is blocked; what began after is not', async (t) => {
  for (const selector of [
    { kind: 'all' },
    { kind: 'key', key },
    { kind: 'url', url: 'https://a/b' },
    { kind: 'prefix', prefix: 'https://a/' },
    { kind: 'pattern', pattern: '*/b' },
    { kind: 'tag', tag: 't' },
  ] as const) {
    const log = new PurgeLog()
    const before = log.mark()
    t.equal(log.blocked(before, key, ['t']), false)
    log.record(selector)
    const after = log.mark()
    t.equal(log.blocked(before, key, ['t']), true, selector.kind)
    t.equal(log.blocked(after, key, ['t']), false, selector.kind)
  }
})

void test('a purge of something else blocks nothing, and hides no purge before or after it', async (t) => {
  const log = new PurgeLog()
  const mark = log.mark()
  log.record({ kind: 'tag', tag: 'other' })
  t.equal(log.blocked(mark, key, ['t']), false)
  log.record({ kind: 'tag', tag: 't' })
  log.record({ kind: 'url', url: 'https://a/' })
  t.equal(log.blocked(mark, key, ['t']), true)
  t.equal(log.blocked(mark, key, []), false)
})

void test('a purge of a name is never forgotten, and other names stay free of it', async (t) => {
  const log = new PurgeLog()
  const mark = log.mark()
  log.record({ kind: 'tag', tag: 't' })
  for (let i = 0; i < 100_000; i++) log.record({ kind: 'url', url: `https://a/${i}` })
  t.equal(log.blocked(mark, 'GET https://a/b', ['t']), true)
  const later = log.mark()
  for (let i = 0; i < 1_000; i++) log.record({ kind: 'url', url: `https://a/${i}` })
  let mistaken = 0
  for (let i = 0; i < 10_000; i++) if (log.blocked(later, `GET https://b/${i}`, [])) mistaken++
  t.ok(mistaken < 50, `${mistaken} of 10,000 names are taken for purged ones`)
})

void test('a tag, a key and a URL of one name are three', async (t) => {
  const name = 'https://a/b'
  const log = new PurgeLog()
  const mark = log.mark()
  log.record({ kind: 'tag', tag: name })
  t.equal(log.blocked(mark, name, []), false)
  log.record({ kind: 'url', url: name })
  t.equal(log.blocked(mark, 'https://a/c', [name]), true)
  t.equal(log.blocked(mark, name, []), true)
})

void test('what began before the oldest broad purge that is remembered is blocked, whatever was purged', async (t) => {
  const log = new PurgeLog({ capacity: 3 })
  log.record({ kind: 'prefix', prefix: 'https://before/' })
  const mark = log.mark()
  for (let i = 0; i < 3; i++) log.record({ kind: 'prefix', prefix: `https://other${i}/` })
  t.equal(log.blocked(mark, key, ['t']), false)
  log.record({ kind: 'prefix', prefix: 'https://other/' })
  t.equal(log.blocked(mark, key, ['t']), true)
  t.equal(log.blocked(log.mark(), key, ['t']), false)
})

void test('a broad purge is found wherever the log has gone round to', async (t) => {
  const log = new PurgeLog({ capacity: 3 })
  for (let i = 0; i < 20; i++) {
    const mark = log.mark()
    for (let j = 0; j < i % 3; j++) log.record({ kind: 'prefix', prefix: 'https://other/' })
    t.equal(log.blocked(mark, key, ['t']), false)
    log.record({ kind: 'prefix', prefix: 'https://a/' })
    t.equal(log.blocked(mark, key, ['t']), true)
  }
})
