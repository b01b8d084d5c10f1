import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'

void test('the worker threads of docs/embedding.md do what the page says', { timeout: 90_000 }, async (t) => {
  const page = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8')
  const folder = t.testdir()
  for (const [, name = '', text = ''] of page.matchAll(/```ts\n\/\/ ([\w-]+\.ts)\b[^\n]*\n([^]*?)```/g)) {
    writeFileSync(join(folder, name), text.replace('port: 3000', 'port: 0').replace('2_000', '60_000'))
  }
  writeFileSync(join(folder, 'app.ts'), `${readFileSync(join(folder, 'app.ts'), 'utf8')}\nexport { app }\n`)
  const { app } = (await import(pathToFileURL(join(folder, 'app.ts')).href)) as { app: FastifyInstance }
  t.teardown(() => app.close())
  const { statusCode, body } = await app.inject('/primes/100')
  t.equal(statusCode, 200, body)
  t.equal(body, '{"count":25}')
})
