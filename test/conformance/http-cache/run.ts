/**
 * `npm run conformance`: the rules of HTTP caching through the gateway, in both profiles, by the clock on the wall.
 *
 *     node test/conformance/http-cache/run.ts [--cache http://127.0.0.1:8081 --origin-port 8082]
 *
 * With `--cache` it tests another cache, which has to send everything to the origin's port.
 */
import { parseArgs } from 'node:util'
import { wallClock } from './clock.ts'
import { PROFILES } from './differences.ts'
import { startGateway } from './gateway.ts'
import { ScriptedOrigin } from './origin.ts'
import { surprises, table, totals } from './report.ts'
import { type Results, runSuite } from './suite.ts'

const { values } = parseArgs({
  options: { cache: { type: 'string' }, 'origin-port': { type: 'string', default: '0' } },
})

const origin = new ScriptedOrigin(wallClock)
const port = await origin.listen(Number(values['origin-port']))
const prefix = `/${Date.now().toString(36)}`

async function ofGateway(): Promise<number> {
  const results = await Promise.all(
    PROFILES.map(async (profile): Promise<[string, Results]> => {
      const gateway = await startGateway(profile, port)
      try {
        return [
          profile,
          await runSuite({ origin, cache: gateway.url, clock: wallClock, prefix: `${prefix}-${profile}` }),
        ]
      } finally {
        await gateway.close()
      }
    }),
  )
  const columns = Object.fromEntries(results)
  process.stdout.write(`${table(columns)}\n${totals(columns)}\n`)
  const found = PROFILES.flatMap((profile) => surprises(profile, columns[profile] as Results))
  for (const line of found) process.stderr.write(`${line}\n`)
  return found.length === 0 ? 0 : 1
}

async function ofAnother(url: string): Promise<number> {
  const columns = { [url]: await runSuite({ origin, cache: new URL(url), clock: wallClock, prefix }) }
  process.stdout.write(`${table(columns)}\n${totals(columns)}\n`)
  return 0
}

try {
  process.exitCode = values.cache === undefined ? await ofGateway() : await ofAnother(values.cache)
} finally {
  await origin.close()
}
