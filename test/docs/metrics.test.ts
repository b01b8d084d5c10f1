import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { metricsPage } from '../../docs/metrics-page.ts'

void test('docs/metrics.md is what the definitions say', async (t) => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  t.equal(page, metricsPage(), 'run: npm run docs')
})
