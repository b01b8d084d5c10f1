import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import { test } from 'tap'
import { heapFlags } from '../../server/heap.ts'
import { startGateway } from '../helper.ts'

const FLAG = ['--external-memory-accounted-in-global-limit']

void test('the flag is set where V8 knows it and does not do so by itself', async (t) => {
  for (const version of ['13.6.233.10-node.27', '14.6.202.34-node.34', '14.7.1']) t.strictSame(heapFlags(version), FLAG)
  for (const version of ['12.4.254.21-node.33', '13.5.9', '14.8.0', '15.0.1']) t.strictSame(heapFlags(version), [])
})

/** What the flag does cannot be counted on: full collections race with V8's threads (docs/architecture.md has figures). */
void test('a process that serves has live buffers counted, and what imports the package leaves V8 alone', async (t) => {
  const given: string[] = []
  t.intercept(v8, 'setFlagsFromString', { value: (flag: string) => void given.push(flag) })
  syncBuiltinESMExports()
  t.teardown(syncBuiltinESMExports)
  await import('../../index.ts')
  t.strictSame(given, [])
  await startGateway(t, {})
  t.strictSame(given, heapFlags(process.versions.v8))
})
