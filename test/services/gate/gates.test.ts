import { test } from 'tap'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import { ANSWERED, type Gate, type GateStep, type Verdict } from '../../../services/gate/gate.ts'
import { Gates, gatesOf } from '../../../services/gate/gates.ts'
import { LoopError } from '../../../services/http/errors.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'

function exchange(): Exchange {
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  return new Exchange({ protocol: '1.1', method: 'GET', target: '/', fields: readRequestFields([]), body: null, peer })
}

function gate(step: GateStep, said: string[], verdict?: Verdict | Promise<Verdict>): Gate {
  return {
    step,
    description: step,
    check: () => {
      said.push(step)
      return verdict
    },
    finish: () => void said.push(`${step} over`),
  }
}

void test('gates are asked in the order of their steps, whatever order they were given in', async (t) => {
  const said: string[] = []
  const gates = new Gates([gate('allowance', said), gate('pressure', said), gate('access', said)])
  const one = exchange()
  t.equal(gates.check(one), undefined)
  t.strictSame(said, ['pressure', 'access', 'allowance'])
  t.equal(one.gates, 3)
})

void test('nobody is asked behind the gate that refuses, and who let it pass hears of its end', async (t) => {
  const said: string[] = []
  const refusal = new LoopError(9)
  const gates = new Gates([gate('limit', said), gate('access', said, refusal), gate('allowance', said)])
  const one = exchange()
  t.equal(gates.check(one), refusal)
  t.equal(one.denied, 'access')
  gates.finish(one)
  t.strictSame(said, ['limit', 'access', 'limit over'])
})

void test('a gate that takes its time is waited for, and the next ones follow', async (t) => {
  const said: string[] = []
  const gates = new Gates([
    gate('limit', said, Promise.resolve(undefined)),
    gate('access', said),
    gate('allowance', said, Promise.resolve(new LoopError(9))),
  ])
  const one = exchange()
  const verdict = gates.check(one)
  t.ok(verdict instanceof Promise)
  t.strictSame(said, ['limit'])
  t.match(await verdict, { code: 'HR_PROXY_LOOP' })
  t.strictSame(said, ['limit', 'access', 'allowance'])
  t.equal(one.gates, 2)
  t.equal(one.denied, 'allowance')
})

void test('nobody is asked for a client that has left while a gate took its time', async (t) => {
  const said: string[] = []
  const taking = Promise.withResolvers<Verdict>()
  const gates = new Gates([gate('limit', said), gate('access', said, taking.promise), gate('allowance', said)])
  const one = exchange()
  const verdict = gates.check(one)
  one.finished = true
  gates.finish(one)
  taking.resolve(undefined)
  t.equal(await verdict, undefined)
  t.strictSame(said, ['limit', 'access', 'limit over', 'access over'], 'and who let it pass late hears of its end too')
})

void test('a gate that has answered is no refusal', async (t) => {
  const one = exchange()
  t.equal(new Gates([gate('cors', [], ANSWERED)]).check(one), ANSWERED)
  t.equal(one.denied, '')
})

void test('a route that asks for no gate has none', async (t) => {
  t.equal(gatesOf('/', [() => null, () => null]), null)
  t.equal(gatesOf('/', [() => null, () => gate('access', [])])?.list.length, 1)
})

void test('what is asked at the socket is not asked again of the request, and is asked behind what only dresses', async (t) => {
  const said: string[] = []
  const refusal = new LoopError(9)
  let early: InstanceType<typeof LoopError> | undefined
  const first: Gate = {
    ...gate('pressure', said),
    early: () => {
      said.push('early')
      return early
    },
  }
  const gates = new Gates([first, gate('dress', said), gate('limit', said)])
  t.ok(gates.early)
  t.notOk(gates.shed)
  t.equal(gates.checkEarly(exchange()), undefined)
  t.strictSame(said, ['dress', 'early'])
  const one = exchange()
  one.early = true
  t.equal(gates.check(one), undefined)
  t.strictSame(said, ['dress', 'early', 'dress', 'limit'])
  early = refusal
  const refused = exchange()
  t.equal(gates.checkEarly(refused), refusal)
  t.equal(refused.denied, 'pressure')
  t.equal(new Gates([gate('limit', said), first]).list[0]?.step, 'pressure')
})
