import { test } from 'tap'
import { Channel, type ChannelOptions } from '../../../services/control/channel.ts'

/** Two channels tied together; messages are cloned, as a pipe does. */
function pair(near: Partial<ChannelOptions>, far: Partial<ChannelOptions>): { near: Channel; far: Channel } {
  const make = (options: Partial<ChannelOptions>, other: () => Channel): Channel =>
    new Channel({
      send: (message) => other().receive(structuredClone(message)),
      serve: async () => null,
      notice: () => {},
      ...options,
    })
  const ends: { near: Channel; far: Channel } = { near: make(near, () => ends.far), far: make(far, () => ends.near) }
  return ends
}

void test('a call is answered with what the other side returns', async (t) => {
  const { near, far } = pair(
    { serve: async () => 'near' },
    { serve: async (name, args) => ({ name, args, missing: undefined, most: Number.POSITIVE_INFINITY }) },
  )
  t.strictSame(await near.call('pools', [1, 'two'], 1000), {
    name: 'pools',
    args: [1, 'two'],
    missing: undefined,
    most: Number.POSITIVE_INFINITY,
  })
  t.equal(await far.call('x', [], 1000), 'near', 'both sides can ask')
})

void test('replies find their calls in any order', async (t) => {
  const waiting: ((value: unknown) => void)[] = []
  const { near } = pair({}, { serve: () => new Promise((resolve) => waiting.push(resolve)) })
  const [first, second] = [near.call('a', [], 1000), near.call('b', [], 1000)]
  waiting[1]?.('second')
  waiting[0]?.('first')
  t.strictSame(await Promise.all([first, second]), ['first', 'second'])
})

void test('what the other side throws arrives with its message, code and status', async (t) => {
  const failure = Object.assign(new Error('no such part'), { code: 'HR_CONTROL_UNSUPPORTED', statusCode: 404 })
  const { near } = pair({}, { serve: () => Promise.reject(failure) })
  await t.rejects(near.call('x', [], 1000), {
    message: 'no such part',
    code: 'HR_CONTROL_UNSUPPORTED',
    statusCode: 404,
  })
})

void test('a call that is not answered in time fails, and a late reply is dropped', async (t) => {
  let answer: (value: unknown) => void = () => {}
  const { near } = pair({}, { serve: () => new Promise((resolve) => (answer = resolve)) })
  await t.rejects(near.call('slow', [], 1), { code: 'HR_CONTROL_DEADLINE', message: /"slow"/ })
  answer('late')
})

void test('closing fails the calls under way and all later ones', async (t) => {
  const { near } = pair({}, { serve: () => new Promise(() => {}) })
  const call = near.call('x', [], 60_000)
  near.close()
  await t.rejects(call, { code: 'HR_CONTROL_DISCONNECTED' })
  await t.rejects(near.call('y', [], 60_000), { code: 'HR_CONTROL_DISCONNECTED' })
})

void test('a message that cannot be sent fails its call', async (t) => {
  const refused = pair({ send: (_, failed) => failed(new Error('EPIPE')) }, {})
  await t.rejects(refused.near.call('x', [], 60_000), { code: 'HR_CONTROL_DISCONNECTED' })
  const uncloneable = pair({}, {})
  await t.rejects(
    uncloneable.near.call('x', [() => {}], 60_000),
    { code: 'HR_CONTROL_DISCONNECTED' },
    'what cannot be cloned too',
  )
})

void test('the calls under way are bounded', async (t) => {
  const { near } = pair({}, { serve: () => new Promise(() => {}) })
  const calls = Array.from({ length: 1000 }, () => near.call('x', [], 60_000))
  await t.rejects(near.call('x', [], 60_000), { code: 'HR_CONTROL_BUSY' })
  near.close()
  const settled = await Promise.allSettled(calls)
  t.ok(settled.every(({ status }) => status === 'rejected'))
})

void test('notices arrive, and messages of others on the pipe are left alone', async (t) => {
  const heard: unknown[] = []
  const { near, far } = pair({}, { notice: (name, data) => heard.push([name, data]) })
  for (const foreign of ['text', null, 7, { cmd: 'NODE_CLUSTER' }]) far.receive(foreign)
  near.notify('drain', { deadlineMs: 5 })
  near.close()
  near.notify('drain')
  t.strictSame(heard, [['drain', { deadlineMs: 5 }]])
})
