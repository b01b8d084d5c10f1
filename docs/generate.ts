/** Writes the pages that are made from code: `npm run docs`. A test of each holds that it is current. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from './configuration-page.ts'
import { conformancePage } from './conformance-page.ts'
import { errorsPage } from './errors-page.ts'
import { metricsPage } from './metrics-page.ts'

const PAGES = {
  'configuration.md': configurationPage,
  'conformance.md': conformancePage,
  'errors.md': errorsPage,
  'metrics.md': metricsPage,
}

for (const [name, page] of Object.entries(PAGES)) writeFileSync(new URL(name, import.meta.url), page())
