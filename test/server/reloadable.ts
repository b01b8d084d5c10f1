import type { Test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { type Running, serve } from '../../server.ts'
import type { ReloadOutcome } from '../../services/configuration/report.ts'
import { type Client, connectClient, type Protocol } from '../client.ts'
import { TIMEOUTS } from '../helper.ts'
import { connectRaw, type RawConnection } from '../raw-client.ts'

type Input = Record<string, unknown>

/** A gateway whose configuration a test changes. */
export interface Reloadable {
  running: Running
  port: number
  /** The configuration as it will be found from now on; listeners and silence are added. */
  write(input: Input): void
  /** Writes it, and reloads. */
  reload(input: Input): Promise<ReloadOutcome>
  client(protocol: Protocol): Promise<Client>
  raw(): Promise<RawConnection>
  get(path: string, fields?: string): Promise<{ status: number; body: string }>
}

/** An upstream as it stands in a configuration. */
export const to = (origin: string, more: Input = {}): Input => ({ targets: [origin], timeout: TIMEOUTS, ...more })

/** Starts the real server in this process (or with `processes` in others), on free ports. */
export async function reloadable(t: Test, input: Input, root: string = t.testdir()): Promise<Reloadable> {
  let written = input
  const load = () =>
    loadConfig({
      cwd: root,
      variables: {},
      inline: {
        listen: { port: 0, h2c: true },
        admin: { port: 0, token: 'secret', rateLimit: false },
        log: { level: 'silent' },
        drainTimeout: '0s',
        cache: { disk: { enabled: false } },
        ...written,
      },
    })
  const loaded = await load()
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const running = await serve(loaded.config, { source: { loaded, load } })
  t.teardown(() => running.close())
  const port = Number(new URL(running.addresses[0]!.url).port)
  const write = (next: Input): void => {
    written = next
  }
  return {
    running,
    port,
    write,
    reload: async (next) => {
      write(next)
      return running.reload()
    },
    client: (protocol) => connectClient(t, { cleartext: port, tls: port }, protocol),
    raw: () => connectRaw(t, { port }),
    async get(path, fields = '') {
      const raw = await connectRaw(t, { port })
      const answer = await raw.exchange(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${fields}\r\n`)
      return { status: answer.status, body: String(answer.body) }
    },
  }
}
