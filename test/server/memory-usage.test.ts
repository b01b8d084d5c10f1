import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { recalling } from '../../server/memory-usage.ts'
import { PATIENCE } from '../helper.ts'

const moduleOf = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)

/** A gateway in a process that then takes every descriptor it may have. */
const SCRIPT = `
  import { openSync } from 'node:fs'
  import { resolveConfig } from ${moduleOf('config/resolve.ts')}
  import { serve } from ${moduleOf('server.ts')}
  const upstreams = { api: { targets: ['http://127.0.0.1:1'] } }
  const input = { listen: { port: 0 }, admin: false, log: { level: 'silent' }, upstreams, routes: { '/*': { to: 'api' } } }
  await serve(resolveConfig(input, { root: '/' }))
  let code
  try {
    while (true) openSync('/dev/null')
  } catch (error) {
    code = error.code
  }
  const { rss } = process.memoryUsage()
  console.log(code, rss > 0, process.memoryUsage.rss() > 0)
  process.exit()
`

void test('a gateway without a descriptor left still says what memory it uses', {
  skip: process.platform === 'win32',
  timeout: PATIENCE,
}, async (t) => {
  const limited = 'ulimit -n 100 && exec "$0" --input-type=module --eval "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, SCRIPT])
  t.equal(stdout, 'EMFILE true true\n')
})

void test('what else goes wrong is told', (t) => {
  const now = process.memoryUsage()
  const fail = (): never => {
    throw Object.assign(new Error('no such process'), { code: 'ESRCH' })
  }
  let isGood = true
  const usage = recalling(Object.assign(() => (isGood ? now : fail()), { rss: fail }))
  isGood = false
  t.throws(() => usage(), { code: 'ESRCH' })
  t.throws(() => usage.rss(), { code: 'ESRCH' })
  t.end()
})
