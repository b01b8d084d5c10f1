import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import { type Banner, renderBanner, takesColour } from '../../../services/log/banner.ts'

const BANNER: Banner = {
  title: 'Headrace 1.2.3',
  addresses: [
    { kind: 'public', url: 'http://127.0.0.1:8080', protocols: ['http/1.1'] },
    { kind: 'admin', url: 'https://127.0.0.1:9', protocols: ['h2', 'http/1.1'] },
  ],
  docs: 'http://127.0.0.1:8080/docs',
  off: [{ feature: 'Redis', variable: 'REDIS_URL' }],
  commands: [{ purpose: 'a list', command: "curl -i 'http://127.0.0.1:8080/api/vehicles?limit=3'" }],
}

void test('the banner says what listens, where the docs are, what is off and what to try, in this order', async (t) => {
  t.equal(
    renderBanner(BANNER, false),
    `
Headrace 1.2.3

  public  http://127.0.0.1:8080  HTTP/1.1
  admin   https://127.0.0.1:9    HTTP/2, HTTP/1.1

  docs    http://127.0.0.1:8080/docs

  off     Redis  set REDIS_URL

  Try
  # a list
  curl -i 'http://127.0.0.1:8080/api/vehicles?limit=3'

`,
  )
})

void test('colours change no character of the text, and none stands within a command', async (t) => {
  const coloured = renderBanner(BANNER, true)
  t.not(coloured, renderBanner(BANNER, false))
  t.equal(stripVTControlCharacters(coloured), renderBanner(BANNER, false))
  t.ok(coloured.includes(`\n  ${BANNER.commands[0]?.command}\n`))
})

void test('a part with nothing in it is left out', async (t) => {
  const text = renderBanner({ title: 'Headrace', addresses: [], docs: null, off: [], commands: [] }, false)
  t.equal(text, '\nHeadrace\n\n')
})

void test('a file or a pipe takes no colour', async (t) => {
  t.equal(takesColour(new PassThrough() as unknown as NodeJS.WriteStream), false)
})
