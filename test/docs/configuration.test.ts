import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { configurationPage } from '../../docs/configuration-page.ts'

void test('docs/configuration.md is what the schema says (npm run docs)', async (t) => {
  t.equal(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'), configurationPage())
})
