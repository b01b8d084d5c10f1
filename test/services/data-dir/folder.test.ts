import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { makeDataFolder, makeFolder } from '../../../services/data-dir/folder.ts'

void test('a folder and those above it are made for their owner; one that is there stays', async (t) => {
  const root = t.testdir({})
  const folder = join(root, 'a', 'b')
  makeFolder(folder)
  makeFolder(folder)
  makeFolder('/')
  for (const made of [folder, join(root, 'a')]) t.equal(statSync(made).mode & 0o777, 0o700)
})

void test('where none can be made the system says why, and it ends', async (t) => {
  const root = t.testdir({ file: '' })
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
  t.throws(() => makeFolder(join(root, 'file')), { code: 'EEXIST' })
  t.throws(() => makeFolder(join(root, 'file', 'x')), { code: /ENOTDIR|EEXIST/ })
  t.throws(() => makeFolder(join(root, 'dangling')), { code: 'EEXIST' })
})

void test('below /proc, where every new name is not found', { skip: !existsSync('/proc/self') }, async (t) => {
  t.throws(() => makeFolder('/proc/nope/deeper'), { code: 'ENOENT' })
})

void test('git ignores the data folder, which holds a token and a key; a folder that is there stays as it is', async (t) => {
  const root = t.testdir({ kept: {} })
  const folder = join(root, 'above', '.headrace')
  makeDataFolder(folder)
  makeDataFolder(folder)
  t.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), '*\n')
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.notOk(existsSync(join(root, 'above', '.gitignore')))
  makeDataFolder(join(root, 'kept'))
  t.notOk(existsSync(join(root, 'kept', '.gitignore')))
})
