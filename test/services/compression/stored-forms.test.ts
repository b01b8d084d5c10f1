import { createHash } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { test } from 'tap'
import { compressionOf, resolveCompression } from '../../../services/compression/options.ts'
import { compileCompression } from '../../../services/compression/policy.ts'
import { NOW_BYTES, StoredForms } from '../../../services/compression/stored-forms.ts'
import type { Prepared } from '../../../services/downstream/prepared.ts'
import { WorkerQueueFullError } from '../../../services/workers/errors.ts'
import type { CompressTask } from '../../../workers/protocol.ts'

const options = compressionOf(null, resolveCompression(true))!
const policy = compileCompression(options)

function stored(body: string | Uint8Array, type = 'application/json'): Prepared {
  return { told: { status: 200, fields: ['content-type', type, 'etag', '"a"'], body }, head: undefined }
}

/** Forms whose memory is written down. */
function accounted(mayCharge = true) {
  const account = { bytes: 0 }
  const charge = (_prepared: Prepared, bytes: number): boolean => {
    if (mayCharge) account.bytes += bytes
    return mayCharge
  }
  return { account, charge, forms: new StoredForms({ policy, charge, recode: null }) }
}

const coded = (forms: StoredForms, prepared: Prepared, then: (form: Prepared) => void): void =>
  forms.coded(prepared, { forms: forms.formsOf(prepared), coding: 'zstd' }, then)

void test('a small body is coded at once, once, and its memory is told', (t) => {
  const { account, forms } = accounted()
  const prepared = stored('x'.repeat(4000))
  const seen: Prepared[] = []
  coded(forms, prepared, (form) => seen.push(form))
  const charged = account.bytes
  coded(forms, prepared, (form) => seen.push(form))
  t.equal(seen.length, 2)
  t.equal(seen[0], seen[1])
  t.equal(account.bytes, charged, 'the second time costs nothing')
  const { fields, body } = seen[0]!.told
  t.ok(charged > body.length)
  t.same(fields, [
    'content-type',
    'application/json',
    'etag',
    'W/"a"',
    'content-encoding',
    'zstd',
    'vary',
    'Accept-Encoding',
  ])
  t.equal(typeof body, 'string', 'as the lane writes it')
  t.equal(zstdDecompressSync(Buffer.from(body as string, 'latin1')).toString(), 'x'.repeat(4000))
  t.end()
})

void test('a large body is coded once for all who wait', async (t) => {
  const { forms } = accounted()
  const prepared = stored(Buffer.alloc(NOW_BYTES + 1, 'headrace'))
  const all = Array.from({ length: 3 }, () => new Promise<Prepared>((resolve) => coded(forms, prepared, resolve)))
  const [first, ...others] = await Promise.all(all)
  for (const other of others) t.equal(other, first)
})

void test('what gains nothing stays as it is, and what is fixed is the very same', (t) => {
  const { forms } = accounted()
  const random = createHash('shake256', { outputLength: 2000 }).digest()
  const prepared = stored(random)
  coded(forms, prepared, (form) => t.equal(form, forms.formsOf(prepared).plain))
  const image = stored(random, 'image/png')
  t.match(forms.formsOf(image), { eligibility: 'fixed', plain: image })
  t.end()
})

void test('where nothing may be kept, it is made each time', (t) => {
  const { forms } = accounted(false)
  const prepared = stored('x'.repeat(4000))
  const seen: Prepared[] = []
  for (let i = 0; i < 2; i++) coded(forms, prepared, (form) => seen.push(form))
  t.equal(seen.length, 2)
  t.not(seen[0], seen[1])
  t.end()
})

void test('what other options have made is given up, and its memory too', (t) => {
  const { account, charge, forms } = accounted()
  const prepared = stored('x'.repeat(4000))
  coded(forms, prepared, () => undefined)
  const other = new StoredForms({
    policy: compileCompression({ ...options, thresholdBytes: 10_000 }),
    charge,
    recode: null,
  })
  t.equal(other.formsOf(prepared).eligibility, 'small')
  t.equal(account.bytes, other.formsOf(prepared).bytes)
  t.end()
})

/** Forms that are made again by the test's hand. */
function recoded() {
  const asked: { task: CompressTask; done: PromiseWithResolvers<Uint8Array> }[] = []
  const account = { bytes: 0 }
  const forms = new StoredForms({
    policy,
    charge: (_prepared, bytes) => {
      account.bytes += bytes
      return true
    },
    recode: (task) => {
      const done = Promise.withResolvers<Uint8Array>()
      asked.push({ task, done })
      return done.promise
    },
  })
  const bodyNow = (prepared: Prepared): unknown => {
    let body: unknown
    coded(forms, prepared, ({ told }) => (body = told.body))
    return body
  }
  return { asked, account, bodyNow }
}

void test('what is asked for again is made as small as can be, once, and its memory is corrected', async (t) => {
  const { asked, account, bodyNow } = recoded()
  const prepared = stored('x'.repeat(4000))
  const first = bodyNow(prepared) as string
  t.equal(bodyNow(prepared), first)
  t.equal(asked.length, 0, 'once is not worth it')
  for (let i = 0; i < 10; i++) t.equal(bodyNow(prepared), first)
  t.match(asked, [{ task: { coding: 'zstd', level: 19 } }])
  t.equal(Buffer.from(asked[0]!.task.bytes).toString(), 'x'.repeat(4000))
  const before = account.bytes
  asked[0]?.done.resolve(Buffer.from('small'))
  await asked[0]?.done.promise
  t.equal(bodyNow(prepared), 'small')
  t.equal(account.bytes, before - first.length + 5)
})

void test('what comes out no smaller, or not at all, changes nothing', async (t) => {
  for (const outcome of [Buffer.alloc(5000), new Error('the thread has crashed')]) {
    const { asked, bodyNow } = recoded()
    const prepared = stored('x'.repeat(4000))
    const first = bodyNow(prepared)
    bodyNow(prepared)
    bodyNow(prepared)
    const done = asked[0]!.done
    if (outcome instanceof Error) done.reject(outcome)
    else done.resolve(outcome)
    await done.promise.catch(() => undefined)
    for (let i = 0; i < 100; i++) t.equal(bodyNow(prepared), first)
    t.equal(asked.length, 1)
  }
})

void test('where the line is full it is tried again later', async (t) => {
  const { asked, bodyNow } = recoded()
  const prepared = stored('x'.repeat(4000))
  for (let i = 0; i < 3; i++) bodyNow(prepared)
  asked[0]?.done.reject(new WorkerQueueFullError(1))
  await asked[0]?.done.promise.catch(() => undefined)
  for (let i = 0; i < 31; i++) bodyNow(prepared)
  t.equal(asked.length, 1)
  bodyNow(prepared)
  t.equal(asked.length, 2)
})

void test('what is larger than the options have it stays as it was made', (t) => {
  const small = { ...options, stored: { ...options.stored, maxBytes: 3999 } }
  const prepared = stored('x'.repeat(4000))
  const forms = new StoredForms({
    policy: compileCompression(small),
    charge: () => true,
    recode: () => t.fail('asked') as never,
  })
  let made: Prepared | undefined
  for (let i = 0; i < 10; i++) coded(forms, prepared, (form) => (made = form))
  t.ok(made)
  t.end()
})
