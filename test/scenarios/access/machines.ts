import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { request } from 'undici'
import { type ConfigInput, type Gateway, startManagedGateway } from '../../helper.ts'
import type { RedisServer } from '../../redis-server.ts'

export type SentField = readonly [name: string, value: string]

export interface Machine {
  gateway: Gateway
  /** A GET with this field. */
  get(path: string, field: SentField): Promise<{ status: number; body: string; cacheStatus: string }>
  /** What that is answered with. */
  status(path: string, field: SentField): Promise<number>
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
  // It keeps connections: some tests ask until something has happened.
  const get: Machine['get'] = async (path, [name, value]) => {
    const answer = await request(`http://127.0.0.1:${gateway.ports.cleartext}${path}`, {
      // The same for all of them: they answer as one.
      headers: { host: 'gateway.test', [name]: value },
    })
    const { statusCode, headers, body } = answer
    return { status: statusCode, body: await body.text(), cacheStatus: String(headers['cache-status'] ?? '') }
  }
  return {
    gateway,
    get,
    status: async (path, field) => (await get(path, field)).status,
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

/** The URL of a user whom Redis lets do all but hear messages: for them, each one is lost. */
export async function deafTo(redis: RedisServer): Promise<string> {
  await redis.cli('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels')
  return redis.url.replace('redis://', 'redis://deaf:secret@')
}
