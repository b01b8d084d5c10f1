import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ConsumersEdit } from '../../../services/access/consumers/consumers-edit.ts'
import { clustered, PATIENCE_MS } from '../../clustered.ts'
import { connectRaw } from '../../raw-client.ts'
import { keyFor } from '../../services/access/given.ts'
import { signatureFields } from '../../services/access/signing.ts'
import { until } from '../../until.ts'

void test('a key that is gone from the file, or revoked, and a request that was accepted, are refused by both processes', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-consumers-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'consumers.yaml')
  const [taken, revoked] = [keyFor(), keyFor()]
  const secrets = [{ id: 'acme-1', secret: 'a secret that is long enough' }]
  writeFileSync(file, JSON.stringify({ acme: { keys: [taken.entry, revoked.entry], secrets } }))
  const { port, pids, running, get } = await clustered(t, {
    access: { consumersFile: file },
    routes: { '/*': { to: 'origin', access: ['key', 'hmac'] } },
  })
  t.equal((await pids()).length, 2)
  /** On connections of their own, which the processes share out among them. */
  const statuses = async (key: string): Promise<string> => {
    const seen = new Set<number>()
    for (let turn = 0; turn < 6; turn++) {
      const raw = await connectRaw(t, { port: port('public') })
      const head = `GET /a HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nX-API-Key: ${key}\r\n\r\n`
      seen.add((await raw.exchange(head)).status)
    }
    return [...seen].toSorted((a, b) => a - b).join()
  }
  t.equal(await statuses(taken.key), '200')
  /** How often one signed request is accepted, by whichever process. */
  const accepted = async (nonce: string): Promise<number> => {
    const secret = secrets[0]!.secret
    const signed = signatureFields({ keyid: 'acme-1', secret, authority: 'a.test', path: '/a', nonce })
    const fields = signed.map((field) => `${field.join(': ')}\r\n`).join('')
    let times = 0
    for (let turn = 0; turn < 6; turn++) {
      const raw = await connectRaw(t, { port: port('public') })
      const { status } = await raw.exchange(`GET /a HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${fields}\r\n`)
      times += Number(status === 200)
    }
    return times
  }
  // On a busy machine the supervisor may not answer in time; each process decides by itself then.
  let round = 0
  while ((await accepted(String(round++))) !== 1);
  const { applied } = await running.control.tell('revoke', {
    from: null,
    list: [{ kind: 'key', name: revoked.id, at: Date.now(), until: Number.MAX_SAFE_INTEGER }],
  })
  t.equal(applied, 2)
  t.equal(await statuses(revoked.key), '401', 'at once, wherever it is shown')
  const edit = new ConsumersEdit(file)
  edit.removeKey(taken.id)
  edit.save()
  // Each follows the file by itself: asked until both have seen it.
  await until(async () => (await statuses(taken.key)) === '401')
  const report = JSON.parse((await get('/performance/consumers', 'secret')).body)
  t.match(report, { consumers: [{ name: 'acme', keys: [{ id: revoked.id, revoked: true }] }], missing: [] })
  t.match(report.callers, [{ id: 'acme', scheme: 'key' }])
  const metrics = (await get('/metrics', 'secret')).body
  t.match(metrics, /headrace_access_denied_total\{step="access",code="HR_ACCESS_INVALID"\} \d/)
  t.match(metrics, /headrace_access_allowed_total\{scheme="key"\} \d/)
  await running.close()
  await running.closed
})
