import { spawnSync } from 'node:child_process'
import { test } from 'tap'
import { managedGatewayBefore, PATIENCE } from '../helper.ts'

/** `promtool` of Prometheus, where it is installed (Debian: prometheus). */
const isInstalled = spawnSync('promtool', ['--version']).error === undefined

/** What `@prometheus-io/client` calls its default metrics is not ours to choose; dashboards know them by these names. */
const OF_THE_LIBRARY = /^nodejs_/

void test('promtool finds nothing to mend in what is ours', {
  timeout: PATIENCE,
  skip: isInstalled ? false : 'promtool is not on the PATH',
}, async (t) => {
  const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond())
  for (const protocol of ['h1', 'h2'] as const) {
    const client = await gateway.client(protocol)
    for (const path of ['/', '/health', '/%00']) await client.request({ path })
  }
  const answer = await fetch(`${gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${gateway.token}` } })
  const text = await answer.text()
  t.match(text, /^headrace_requests_total\{/m)
  const { stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !OF_THE_LIBRARY.test(line))
  t.strictSame(said, [])
})
