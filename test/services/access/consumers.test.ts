import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { Consumers } from '../../../services/access/consumers/consumers.ts'
import { ConsumersEdit, editConsumers } from '../../../services/access/consumers/consumers-edit.ts'
import { consumersOf } from '../../../services/access/consumers/consumers-file.ts'
import { keyFor, QUIET } from './given.ts'

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'headrace-consumers-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

void test('a file says who there is, and what it says wrongly is told without the value', async (t) => {
  const { entry } = keyFor()
  const [acme] = consumersOf(
    `acme:\n  keys: [${JSON.stringify({ ...entry, expires: '2027-01-31' })}]\n  tier: gold\n`,
    '/a.yaml',
  )
  t.match(acme, { name: 'acme', tier: 'gold', enabled: true, groups: [], keys: [{ expiresAt: Date.UTC(2027, 0, 31) }] })
  t.same(consumersOf('', '/a.yaml'), [])
  const wrong: [string, RegExp][] = [
    ['acme: [', /a\.yaml/],
    ['acme: { keys: [{ id: abcdefgh, hash: canary }] }', /acme\.keys\.0\.hash/],
    ['acme: { password: canary }', /acme\.password/],
    ['acme: { colour: red }', /acme/],
    ['"a b": {}', /'a b' is no name/],
    ['__proto__: {}', /no name/],
    ['- a', /a map of consumers/],
    [`a: &a {}\nb: *a\n`, /a\.yaml/],
  ]
  for (const [text, message] of wrong) {
    const thrown = t.throws(() => consumersOf(text, '/a.yaml'), {
      code: 'HR_ACCESS_CONSUMERS_FILE',
    }) as unknown as Error
    t.match(thrown.message, message)
    t.notMatch(thrown.message, 'canary')
  }
})

void test('a file that is changed before it is followed is read again, and no other is', async (t) => {
  const file = join(folder(t), 'consumers.yaml')
  const { entry, id } = keyFor()
  writeFileSync(file, `acme: { keys: [${JSON.stringify(entry)}] }`)
  let reads = 0
  const log = { info: () => void reads++, error: () => undefined }
  const consumers = new Consumers({ inline: [], file, log })
  t.teardown(() => consumers.stop())
  // What another gateway of the process is still waited for meanwhile.
  writeFileSync(file, 'acme: {}')
  await consumers.start()
  t.equal(consumers.directory.keys.get(id), undefined)
  const same = new Consumers({ inline: [], file, log })
  t.teardown(() => same.stop())
  await same.start()
  t.equal(reads, 1)
})

void test('a file that is changed is in force, and one that cannot be used leaves things as they are', async (t) => {
  const file = join(folder(t), 'consumers.yaml')
  const [first, second] = [keyFor(), keyFor()]
  writeFileSync(file, `acme: { keys: [${JSON.stringify(first.entry)}] }`)
  const said: string[] = []
  const log = { info: () => undefined, error: (_: object, message: string) => void said.push(message) }
  const consumers = new Consumers({ inline: [], file, log })
  consumers.directory.keys.get(first.id)!.use.lastUsedAt = 5
  writeFileSync(file, 'acme: { keys: 7 }')
  t.match(consumers.reload(), { code: 'HR_ACCESS_CONSUMERS_FILE' })
  t.ok(consumers.directory.keys.has(first.id))
  t.match(said.join(), /cannot be used/)
  writeFileSync(file, `acme: { keys: [${JSON.stringify(first.entry)}, ${JSON.stringify(second.entry)}] }`)
  t.equal(consumers.reload(), null)
  t.equal(consumers.directory.keys.size, 2)
  t.equal(consumers.directory.keys.get(first.id)?.use.lastUsedAt, 5, 'when a key was used stays known')
  writeFileSync(file, `acme: { enabled: false, keys: [${JSON.stringify(first.entry)}] }`)
  t.equal(consumers.reload(), null)
  t.equal(consumers.directory.keys.size, 0)
})

void test('a tier that there is not leaves things as they are, and is told without its value', async (t) => {
  const file = join(folder(t), 'consumers.yaml')
  const said: string[] = []
  const log = { info: () => undefined, error: (_: object, message: string) => void said.push(message) }
  const made = (tiers: string[]): Consumers => new Consumers({ inline: [], file, tiers, log })
  writeFileSync(file, 'acme: { tier: gold }\nglobex: {}')
  const consumers = made(['gold', 'silver'])
  writeFileSync(file, 'acme: { tier: glod }')
  t.match(consumers.reload(), { code: 'HR_ACCESS_CONSUMERS_FILE' })
  t.equal(consumers.directory.named('acme')?.tier, 'gold')
  t.match(said.join(), /acme\.tier is none of tiers, which has gold, silver/)
  t.notMatch(said.join(), 'glod')
  t.throws(() => made(['gold']), { code: 'HR_ACCESS_CONSUMERS_FILE' }, 'nor does a gateway start with it')
  t.equal(made([]).directory.named('acme')?.tier, 'glod', 'where there are no tiers, it is for the upstream to know')
})

void test('a file is followed by itself', { timeout: 150_000 }, async (t) => {
  const file = join(folder(t), 'consumers.yaml')
  const { id, entry } = keyFor()
  writeFileSync(file, `acme: { keys: [${JSON.stringify(entry)}] }`)
  const read = Promise.withResolvers<void>()
  const consumers = new Consumers({ inline: [], file, log: { ...QUIET, info: () => read.resolve() } })
  t.teardown(() => consumers.stop())
  await consumers.start()
  new ConsumersEdit(file).save()
  const edit = new ConsumersEdit(file)
  edit.removeKey(id)
  edit.save()
  // Its timer keeps no process alive by itself.
  const held = setInterval(() => undefined, 1000)
  await read.promise
  clearInterval(held)
  t.notOk(consumers.directory.keys.has(id))
})

void test('consumers that nobody could tell apart are refused, and secrets come from files too', async (t) => {
  const path = folder(t)
  const { entry } = keyFor()
  const file = join(path, 'consumers.yaml')
  const made = (text: string): Consumers => {
    writeFileSync(file, text)
    return new Consumers({ inline: [], file, log: QUIET })
  }
  const key = JSON.stringify(entry)
  t.throws(() => made(`a: { keys: [${key}] }\nb: { keys: [${key}] }`), { code: 'HR_ACCESS_CONSUMER_CONFLICT' })
  writeFileSync(join(path, 'secret'), 'sixteen characters and more\n')
  const { directory } = made('a: { secrets: [{ id: k, file: ./secret }] }')
  t.equal(directory.secrets.get('k')?.secret, 'sixteen characters and more')
  t.throws(() => made('a: { secrets: [{ id: k, secret: short }] }'), /less than 16/)
  t.throws(() => made('a: { secrets: [{ id: k, file: ./none }] }'), /ENOENT/)
})

void test('a program writes to the file as carefully as its people', async (t) => {
  const path = folder(t)
  const target = join(path, 'real.yaml')
  const file = join(path, 'consumers.yaml')
  const [old, fresh] = [keyFor(), keyFor()]
  writeFileSync(
    target,
    `# Who may call\nacme: # since May\n  tier: gold\n  keys:\n    - id: ${old.id} # the laptop\n      hash: ${old.hash}\n\nglobex: {}\n`,
    { mode: 0o640 },
  )
  symlinkSync(target, file)
  const edit = new ConsumersEdit(file)
  const now = Date.parse('2026-06-01T12:00:00Z')
  t.same(edit.endKeys('acme', { at: now + 60_000, now }), [old.id])
  edit.addKey('acme', { ...fresh.entry, created: '2026-06-01T12:00:00Z' })
  edit.addKey('initech', { ...keyFor().entry, created: '2026-06-01T12:00:00Z', note: 'first' })
  edit.save()
  const text = readFileSync(target, 'utf8')
  for (const comment of ['# Who may call', '# since May', '# the laptop']) t.match(text, comment)
  t.match(text, /expires: 2026-06-01T12:01:00Z/)
  t.equal(statSync(target).mode & 0o777, 0o640)
  const [acme, , initech] = consumersOf(text, file)
  t.equal(acme?.keys.length, 2)
  t.match(initech, { name: 'initech', keys: [{ note: 'first' }] })
  const again = new ConsumersEdit(file)
  t.equal(again.removeKey(old.id), 'acme')
  t.equal(again.removeKey(old.id), undefined)
  again.save()
  t.equal(consumersOf(readFileSync(file, 'utf8'), file)[0]?.keys.length, 1)
  writeFileSync(target, 'acme: 7')
  t.throws(
    () => new ConsumersEdit(file),
    { code: 'HR_ACCESS_CONSUMERS_FILE' },
    'what it cannot read it does not write to',
  )
})

void test('changes to the file that are made at the same time all stay', async (t) => {
  const path = folder(t)
  const file = join(path, 'consumers.yaml')
  const [first, second, third] = [keyFor(), keyFor(), keyFor()]
  const written = (entry: { id: string; hash: string }) => ({ ...entry, created: '2026-06-01T12:00:00Z' })
  const slow = new ConsumersEdit(file)
  slow.addKey('acme', written(first.entry))
  t.equal(await editConsumers(file, (edit) => edit.removeKey(first.id)), undefined)
  t.same(readdirSync(path), [], 'what changes nothing writes nothing')
  const quick = new ConsumersEdit(file)
  quick.addKey('acme', written(second.entry))
  quick.save()
  t.throws(() => slow.save(), { code: 'HR_ACCESS_CONSUMERS_BUSY' })
  // Another one begins to write, and has written when it is looked at again.
  const temporary = `${file}.new`
  writeFileSync(temporary, '')
  let attempts = 0
  await editConsumers(file, (edit) => {
    if (++attempts === 2) rmSync(temporary)
    edit.addKey('acme', written(third.entry))
  })
  t.equal(attempts, 2)
  const [acme] = consumersOf(readFileSync(file, 'utf8'), file)
  t.same(
    acme?.keys.map(({ id }) => id),
    [second.id, third.id],
  )
  t.same(readdirSync(path), ['consumers.yaml'], 'nothing is left lying about')
})

void test('a gateway that is not who changes the file can read it afterwards', {
  skip: process.getuid?.() === 0 ? false : 'only the superuser gives files away',
}, async (t) => {
  const file = join(folder(t), 'consumers.yaml')
  writeFileSync(file, '')
  chmodSync(file, 0o660)
  chownSync(file, 65_534, 65_533)
  await editConsumers(file, (edit) => edit.addKey('acme', { ...keyFor().entry, created: '2026-06-01T12:00:00Z' }))
  t.match(statSync(file), { uid: 65_534, gid: 65_533 })
  t.equal(statSync(file).mode & 0o777, 0o660, 'whatever the umask is')
})
