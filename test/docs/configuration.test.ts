import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { parse } from 'yaml'
import { configurationPage } from '../../docs/configuration-page.ts'
import { problemsOf } from '../config/checks/problems-of.ts'

void test('docs/configuration.md is what the schema says (npm run docs)', async (t) => {
  t.equal(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'), configurationPage())
})

const DOCS = new URL('../../docs/', import.meta.url)
/** Pages all of whose examples are configurations. */
const ALL_OF: Record<string, number> = { resilience: 8, traffic: 5, operations: 2 }
/** What is there where the page says it is. */
const FILES = /does not exist/

for (const file of readdirSync(DOCS).filter((name) => name.endsWith('.md'))) {
  const name = file.slice(0, -'.md'.length)
  const page = readFileSync(new URL(file, DOCS), 'utf8')
  const fences = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text as string)
  // Others show a part of a route, or of something else than a configuration.
  const examples = fences.filter((text) => name in ALL_OF || /^(upstreams|routes):/m.test(text))
  if (name === 'configuration' || examples.length === 0) continue
  void test(`every configuration that docs/${file} shows is valid`, async (t) => {
    t.ok(examples.length >= (ALL_OF[name] ?? 1))
    for (const example of examples) {
      t.strictSame(
        problemsOf(parse(example) as Record<string, unknown>).filter((problem) => !FILES.test(problem)),
        [],
        example,
      )
    }
  })
}
