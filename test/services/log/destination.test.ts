import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { logDestination } from '../../../services/log/destination.ts'
import { PATIENCE } from '../../helper.ts'
import { noMount, smallDisk } from '../../small-disk.ts'
import { until } from '../../until.ts'

const LINE = `${'x'.repeat(4_095)}\n`

void test('a full disk loses lines and stops nobody; when there is room again it is said how many', {
  skip: noMount,
  timeout: PATIENCE,
}, async (t) => {
  const disk = smallDisk(t, '64k')
  const file = join(disk.folder, 'log')
  const told: (string | number)[] = []
  const lines = logDestination(file, {
    failed: ({ code }) => void told.push(String(code)),
    recovered: (lost) => void told.push(lost),
  })
  t.teardown(() => (lines as unknown as { end(): void }).end())
  await until(() => {
    lines.write(LINE)
    return told.length > 0
  })
  for (let line = 0; line < 2_500; line++) lines.write(LINE)
  ;(lines as unknown as { flushSync(): void }).flushSync()
  t.strictSame(told, ['ENOSPC'], 'once, and the end of the process would wait for nothing')
  disk.resize('32m')
  await until(() => {
    lines.write('after\n')
    return told.length > 1
  })
  t.ok((told[1] as number) > 0)
  await until(() => readFileSync(file, 'latin1').endsWith('after\n'))
  const kinds = new Set(readFileSync(file, 'latin1').split('\n'))
  t.strictSame([...kinds], [LINE.trimEnd(), 'after', ''], 'every line is whole')
})
