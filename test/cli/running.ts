import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { loadConfig } from '../../config/load.ts'
import { type Running, serve } from '../../server.ts'

/** A gateway that runs, from the configuration file of a folder where commands find it. */
export async function runningGateway(
  t: Test,
  input: Record<string, unknown> = {},
): Promise<{ cwd: string; running: Running; adminUrl: string; publicUrl: string }> {
  const cwd = t.testdir({})
  const defaults = { listen: { port: 0 }, admin: { port: 0 }, log: { level: 'silent' }, drainTimeout: '0s' }
  writeFileSync(join(cwd, 'headrace.config.yaml'), stringify({ ...defaults, ...input }))
  const load = () => loadConfig({ cwd, variables: {} })
  const loaded = await load()
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const running = await serve(loaded.config, { source: { loaded, load } })
  t.teardown(() => running.close())
  const url = (wanted: string): string => running.addresses.find(({ kind }) => kind === wanted)?.url ?? ''
  return { cwd, running, adminUrl: url('admin'), publicUrl: url('public') }
}

/** An HTTP server that ends with the test. @returns its origin */
export async function httpServer(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
