import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { FileWatch } from '../../../services/configuration/file-watch.ts'

/** So long that the test alone looks. */
const NEVER_MS = 2 ** 30

void test('a change is told once, and not while it is being written', async (t) => {
  const folder = t.testdir({ a: '1', b: '1', old: '1', new: '22' })
  const path = (name: string): string => join(folder, name)
  symlinkSync(path('old'), path('link'))
  let files = ['a', 'link', 'absent'].map(path)
  let told = 0
  const watch = new FileWatch({ files: () => files, changed: () => void told++, everyMs: NEVER_MS })
  t.teardown(() => watch.stop())
  /** What two looks tell: the second finds it as the first did. */
  const looks = async (): Promise<number> => {
    const before = told
    await watch.look()
    await watch.look()
    return told - before
  }
  t.notOk(watch.active)
  await watch.start()
  t.ok(watch.active)
  t.equal(await looks(), 0)

  writeFileSync(path('a'), '2 beg')
  await watch.look()
  writeFileSync(path('a'), '2 begun, and done')
  await watch.look()
  t.equal(told, 0, 'still being written')
  await watch.look()
  t.equal(told, 1)
  t.equal(await looks(), 0, 'once')

  writeFileSync(path('absent'), '1')
  t.equal(await looks(), 1, 'one that comes')
  rmSync(path('absent'))
  t.equal(await looks(), 1, 'one that goes')
  symlinkSync(path('new'), path('turned'))
  renameSync(path('turned'), path('link'))
  t.equal(await looks(), 1, 'a link that leads elsewhere')

  files = [path('b')]
  t.equal(await looks(), 0, 'files that are watched from now on are known')
  writeFileSync(path('a'), '3')
  t.equal(await looks(), 0, "and the others are nobody's concern")
  writeFileSync(path('b'), '22')
  t.equal(await looks(), 1)
  watch.stop()
  writeFileSync(path('b'), '333')
  t.equal(await looks(), 0)
})
