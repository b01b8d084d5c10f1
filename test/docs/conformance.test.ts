import { globSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { conformancePage } from '../../docs/conformance-page.ts'
import { CASES } from '../conformance/http-cache/cases/index.ts'
import { DIFFERENCES } from '../conformance/http-cache/differences.ts'

void test('docs/conformance.md is what the cases and the list of differences say', async (t) => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
  t.equal(page, conformancePage(), 'run: npm run docs')
})

void test('each rule has a name of its own, and each difference names rules that there are', async (t) => {
  const ids = CASES.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  const listed = DIFFERENCES.flatMap((difference) => difference.ids)
  t.same(
    listed.filter((id) => !ids.includes(id)),
    [],
  )
  t.equal(new Set(listed).size, listed.length)
})

void test('docs/caching.md names every test of the rules, and none that there is not', async (t) => {
  const page = readFileSync(new URL('../../docs/caching.md', import.meta.url), 'utf8')
  const rows = page.slice(page.indexOf('## Rules and their tests')).matchAll(/^\| [^|]+ \|([^|]*)\|([^|]*)\|$/gm)
  const named = { unit: new Set<string>(), sockets: new Set<string>() }
  for (const [, unit = '', sockets = ''] of rows) {
    for (const [, name = ''] of unit.matchAll(/`([\w-]+)`/g)) named.unit.add(name)
    for (const [, name = ''] of sockets.matchAll(/`([\w-]+)`/g)) named.sockets.add(name)
  }
  const tests = (folder: string): string[] =>
    globSync(`${folder}/*.test.ts`, { cwd: new URL('../../test/', import.meta.url).pathname })
      .map((file) => file.slice(folder.length + 1, -'.test.ts'.length))
      .toSorted()
  t.same([...named.unit].toSorted(), tests('services/cache/rules'))
  t.same([...named.sockets].toSorted(), tests('scenarios/cache'))
})
