import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ConfigInput, type Gateway, startManagedGateway } from '../../helper.ts'
import type { RedisServer } from '../../redis-server.ts'

export interface Machine {
  gateway: Gateway
  /** What a GET with this field is answered with. */
  status(path: string, field: readonly [name: string, value: string]): Promise<number>
  /** Asks the control plane; throws where it does not do it. */
  post(path: string, body?: object): Promise<unknown>
}

/** Where one machine keeps its files. */
export function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-machine-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A whole gateway like one on a machine of its own, with an answer of its own on each route. */
export async function machine(t: Test, input: ConfigInput): Promise<Machine> {
  const gateway = await startManagedGateway(t, { dataDir: folderOf(t), ...input })
  return {
    gateway,
    // It keeps connections: some tests ask until something has happened.
    async status(path, field) {
      const answer = await fetch(`http://127.0.0.1:${gateway.ports.cleartext}${path}`, { headers: [[...field]] })
      await answer.arrayBuffer()
      return answer.status
    },
    async post(path, body = {}) {
      const answer = await fetch(`${gateway.adminUrl}/performance${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return await answer.json()
    },
  }
}

/** Asks again until it is so; the time that it may take is the test's. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

/** The URL of a user whom Redis lets do all but hear messages: for them, each one is lost. */
export async function deafTo(redis: RedisServer): Promise<string> {
  await redis.cli('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels')
  return redis.url.replace('redis://', 'redis://deaf:secret@')
}
