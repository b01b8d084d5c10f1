import { test } from 'tap'
import { NOT_KNOWN, SharedRenewals } from '../../../../services/access/oidc/shared-renewals.ts'

/** Longer than any test takes. */
const LONG_MS = 60_000

/** Two processes, of which the first that asks has the turn. */
function two(): [SharedRenewals, SharedRenewals] {
  const [one, other] = [new SharedRenewals(), new SharedRenewals()]
  const taken = new Set<string>()
  const takeTurn = async (digest: string): Promise<number> => {
    if (taken.has(digest)) return 30_000
    taken.add(digest)
    return 0
  }
  one.processes = { takeTurn, tell: (digest, renewed) => other.told(digest, renewed) }
  other.processes = { takeTurn, tell: (digest, renewed) => one.told(digest, renewed) }
  return [one, other]
}

void test('one process refreshes, and the others get what it gets, whether they ask before or afterwards', async (t) => {
  for (const renewed of ['sealed', null, NOT_KNOWN]) {
    const [one, other] = two()
    t.equal(await one.ask('a', LONG_MS), NOT_KNOWN, 'it is the first')
    const waiting = [other.ask('a', LONG_MS), other.ask('a', LONG_MS)]
    t.equal(await other.ask('b', LONG_MS), NOT_KNOWN, 'each session has turns of its own')
    one.tell('a', renewed)
    t.same(await Promise.all(waiting), [renewed, renewed])
    t.equal(await other.ask('a', LONG_MS), renewed)
    t.equal(await one.ask('a', LONG_MS), renewed)
  }
})

void test('nobody waits for ever: who has the turn may have ended, and who gives turns may be away', async (t) => {
  const [one, other] = two()
  await one.ask('a', LONG_MS)
  t.equal(await other.ask('a', 1), NOT_KNOWN)
  other.processes = { takeTurn: () => Promise.reject(new Error('away')), tell: () => undefined }
  t.equal(await other.ask('a', LONG_MS), NOT_KNOWN)
  t.equal(await new SharedRenewals().ask('a', LONG_MS), NOT_KNOWN, 'where there are no others')
})

void test('what others have told is bounded', async (t) => {
  const [one, other] = two()
  for (let i = 0; i <= 1_000; i++) {
    await one.ask(String(i), LONG_MS)
    one.tell(String(i), 'sealed')
  }
  t.equal(await other.ask('1000', 1), 'sealed')
  t.equal(await other.ask('0', 1), NOT_KNOWN)
})
