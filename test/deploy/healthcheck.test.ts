import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { PATIENCE, startGateway } from '../helper.ts'

const SCRIPT = fileURLToPath(new URL('../../deploy/healthcheck.ts', import.meta.url))

/** @returns the exit code */
async function check(port: number, path: string): Promise<number> {
  const asked = promisify(execFile)(process.execPath, [SCRIPT, String(port), path])
  return await asked.then(
    () => 0,
    ({ code }: { code: number }) => code,
  )
}

void test('the health check asks a port as it wants to be asked, and takes no fault for health', {
  timeout: PATIENCE,
}, async (t) => {
  const gateway = await startGateway(t, { upstreams: {}, routes: {} })
  const { cleartext, tls } = gateway.ports
  const asked = [check(cleartext, '/health'), check(tls, '/health'), check(cleartext, '/none'), check(tls, '/none')]
  t.strictSame(await Promise.all(asked), [0, 0, 1, 1])
  await gateway.close()
  t.equal(await check(cleartext, '/health'), 1, 'nobody answers')
})
