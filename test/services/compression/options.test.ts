import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { compressionOf } from '../../../services/compression/options.ts'

const optionsOf = (compression: unknown, route: unknown) => {
  const config = resolveConfig({
    upstreams: { fleet: { targets: ['http://127.0.0.1:1'] } },
    routes: { '/*': { to: 'fleet', ...(route !== undefined && { compression: route }) } },
    ...(compression !== undefined && { compression }),
  })
  return compressionOf(config.routes[0]?.compression ?? null, config.compression)
}

void test('nothing is compressed without a word', (t) => {
  t.equal(optionsOf(undefined, undefined), null)
  t.equal(optionsOf(false, undefined), null)
  t.equal(optionsOf(true, false), null)
  t.end()
})

void test('all routes are, or one, with the levels that fit work on the way', (t) => {
  const levels = { zstd: 3, br: 4, gzip: 1 }
  const expected = { codings: ['zstd', 'br', 'gzip'], thresholdBytes: 1024, transcode: false, levels }
  t.match(optionsOf(true, undefined), expected)
  t.match(optionsOf({}, undefined), expected)
  t.match(optionsOf(undefined, true), expected)
  t.match(optionsOf(false, {}), expected)
  t.end()
})

void test('what a route says goes over what the gateway says, and the rest stays', (t) => {
  const options = optionsOf({ threshold: '4KiB', levels: { br: 5 } }, { codings: ['gzip'], types: ['text/csv'] })
  t.match(options, {
    codings: ['gzip'],
    types: ['text/csv'],
    thresholdBytes: 4096,
    levels: { zstd: 3, br: 5, gzip: 1 },
    stored: { levels: { zstd: 19, br: 11, gzip: 9 }, maxBytes: 2 * 2 ** 20 },
  })
  t.end()
})

void test('what makes no sense is refused', (t) => {
  t.throws(() => optionsOf({ codings: [] }, undefined), /at least 1/)
  t.throws(() => optionsOf({ codings: ['deflate'] }, undefined), /HR_CONFIG|deflate/)
  t.throws(() => optionsOf({ levels: { gzip: 10 } }, undefined), /gzip/)
  t.throws(() => optionsOf({ types: ['json'] }, undefined), /media type/)
  t.end()
})
