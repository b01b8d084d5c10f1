import { globSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { errorsPage } from '../../docs/errors-page.ts'

const root = new URL('../../', import.meta.url)

void test('docs/errors.md is what the definitions say', async (t) => {
  t.equal(readFileSync(new URL('docs/errors.md', root), 'utf8'), errorsPage(), 'run: npm run docs')
})

void test('every code that an errors.ts defines is on the page', async (t) => {
  const page = errorsPage()
  for (const file of globSync('{services,config,cli}/{,**/}errors.ts', { cwd: root.pathname })) {
    const codes = readFileSync(new URL(file, root), 'utf8').match(/(?<=createError[^(]*\(\s*')HR_\w+/g) ?? []
    for (const code of codes) if (!code.startsWith('HR_CONFIG')) t.ok(page.includes(`\`${code}\``), `${file}: ${code}`)
  }
})

void test('a status is the one of the definition, not a number of its message', async (t) => {
  const statuses = [...errorsPage().matchAll(/^\| `HR_\w+` \| (\d+) \|/gm)].map(([, status]) => Number(status))
  t.ok(statuses.length > 50)
  for (const status of statuses) t.ok(status >= 400 && status < 600, `${status}`)
})
