import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { parse } from 'yaml'
import { resolveConfig } from '../../config/resolve.ts'
import { configurationPage } from '../../docs/configuration-page.ts'

void test('docs/configuration.md is what the schema says (npm run docs)', async (t) => {
  t.equal(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'), configurationPage())
})

for (const [name, least] of [
  ['resilience', 8],
  ['traffic', 5],
  ['operations', 2],
] as const) {
  void test(`every configuration that docs/${name}.md shows is valid`, async (t) => {
    const page = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
    const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text as string)
    t.ok(examples.length >= least)
    for (const example of examples) {
      const { upstreams, routes } = resolveConfig(parse(example) as Record<string, unknown>)
      t.ok(upstreams.length > 0 && routes.length > 0)
    }
  })
}
