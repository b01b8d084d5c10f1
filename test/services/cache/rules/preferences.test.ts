import { test } from 'tap'
import {
  acceptsCoding,
  bestLanguage,
  favourite,
  normalEncodings,
  normalLanguages,
  normalLanguagesInOrder,
} from '../../../../services/cache/rules/preferences.ts'

void test('requests that accept the same codings with the same preference have one form', (t) => {
  const rows: [string, string][] = [
    ['gzip, deflate, br, zstd', 'br,deflate,gzip,zstd'],
    ['br;q=1.0,zstd,\tGZIP , deflate', 'br,deflate,gzip,zstd'],
    ['gzip;q=0.5, deflate;q=0.5, br;q=0.5, zstd;q=0.5', 'br,deflate,gzip,zstd'],
    ['br, gzip;q=0.8', 'br>gzip'],
    ['gzip;q=0.001, br;q=0.9', 'br>gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, identity;q=0.5', 'gzip'],
    ['gzip, identity', 'gzip,identity'],
    ['identity, gzip;q=0.5', 'identity>gzip'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['gzip;q=0', 'identity'],
    ['gzip, identity;q=0', 'gzip!identity'],
    ['gzip, *;q=0', 'gzip!identity'],
    ['identity;q=0', '!identity'],
    ['gzip, *;q=0.1', 'gzip>*'],
    ['*, gzip;q=0', '*!gzip'],
    ['*', '*'],
    ['dcb, gzip', 'dcb,gzip'],
    ['gzip, gzip;q=0', 'gzip'],
    [', ,gzip,,', 'gzip'],
    ['*, br;q=0, zstd;q=0', '*!br!zstd'],
    ['made-up, gzip, other;q=0.5', 'gzip'],
    ['made-up', 'identity'],
    ['*, made-up;q=0', '*'],
  ]
  for (const [value, normal] of rows) t.equal(normalEncodings(value), normal, value)
  t.end()
})

void test('malformed and endless preferences have no form', (t) => {
  const bad = ['gzip;q=2', 'gzip;q=', 'gzip;q=0.1234', 'gzip;level=9', 'g zip', '"gzip"', 'br>gzip', 'a,'.repeat(40)]
  for (const value of bad) t.equal(normalEncodings(value), undefined, value)
  t.end()
})

void test('a coding is accepted by name or by *, unless it is refused', (t) => {
  const rows: [string | undefined, string, boolean][] = [
    [undefined, 'gzip', true],
    ['gzip', 'gzip', true],
    ['gzip', 'br', false],
    ['*', 'br', true],
    ['gzip', 'GZIP', true],
    ['*, br;q=0', 'br', false],
    ['', 'gzip', false],
    ['gzip, br', 'gzip, br', true],
    ['gzip', 'gzip, br', false],
    ['gzip;q=x', 'gzip', false],
  ]
  for (const [value, coding, accepted] of rows)
    t.equal(acceptsCoding(value, coding), accepted, `${coding} for ${value}`)
  t.end()
})

void test('languages are compared without case and whitespace, and by weight', (t) => {
  t.equal(normalLanguages('en, de'), 'de,en')
  t.equal(normalLanguages(' eN ,   De'), 'de,en')
  t.equal(normalLanguages('fr;q=0.5, de;q=1.0'), 'de>fr')
  t.equal(normalLanguages('de, fr;q=0, en;q=0'), 'de!en!fr')
  t.equal(normalLanguagesInOrder('en, de'), 'en,de', 'where the order is kept')
  t.equal(normalLanguagesInOrder('fr;q=0.5,EN,de'), 'en,de>fr')
  t.equal(favourite('de>fr'), 'de')
  t.equal(favourite('de!fr'), 'de')
  t.equal(favourite('de,en'), undefined, 'two are preferred alike')
  t.equal(favourite('*'), undefined)
  t.end()
})

void test('of the languages there are, the one asked for most is chosen (RFC 4647 §3)', (t) => {
  const rows: [string, string][] = [
    ['de', 'de'],
    ['de-AT', 'de'],
    ['EN-gb', 'en-GB'],
    ['fr, de;q=0.8, en;q=0.9', 'en-GB'],
    ['en', 'en-GB'],
    ['en-US, de;q=0.5', 'de'],
    ['fr', ''],
    ['fr, *;q=0.1', 'de'],
    ['*, de;q=0', 'en-GB'],
    ['', ''],
  ]
  for (const [value, language] of rows) t.equal(bestLanguage(value, ['de', 'en-GB']), language, value)
  t.end()
})
