import type { Case, Expected, Step } from './case.ts'
import type { Client, ClientAnswer } from './client.ts'
import { type Script, STAMP, STEP } from './origin.ts'
import { valueOf } from './values.ts'

/** What speaks against a case. */
class Disagreement extends Error {}

function hold(condition: boolean, message: string): void {
  if (!condition) throw new Disagreement(message)
}

/** Fields that the first client need not get as the origin sent them. */
const OWN_TO_A_CONNECTION = new Set([
  'connection',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/**
 * Runs a case: its requests one after the other.
 *
 * @returns why the cache does not behave as the case says; `null` where it does
 */
export async function runCase(
  subject: Case,
  script: Script,
  client: Client,
  pause: () => Promise<void>,
): Promise<string | null> {
  try {
    for (const [number, step] of subject.steps.entries()) {
      await runStep({ step, number, script, client })
      for (let passed = 0; passed < (step.wait ?? 0); passed++) await pause()
    }
    return null
  } catch (error) {
    if (error instanceof Disagreement) return error.message
    throw error
  }
}

interface Running {
  step: Step
  number: number
  script: Script
  client: Client
}

async function runStep({ step, number, script, client }: Running): Promise<void> {
  const { path } = script
  const [lately] = [...script.answered.values()].toReversed()
  const surroundings = { now: lately?.now ?? 0, path }
  const name = `request ${number + 1}`
  const query = step.query === undefined ? '' : `?${step.query}`
  let answer: ClientAnswer
  try {
    answer = await client.send({
      method: step.method ?? 'GET',
      path: `${path}${step.suffix ?? ''}${query}`,
      fields: [
        [STEP, String(number)],
        ...(step.request ?? []).map(([field, value]) => [field, valueOf(value, surroundings)] as const),
      ],
      content: step.content,
    })
  } catch (error) {
    // A broken connection is an error too, where one is expected.
    hold(step.fails === true, `${name}: ${(error as Error).message}`)
    return
  }
  const stamp = answer.get(STAMP)
  const from = stamp === undefined ? undefined : Number(stamp)
  if (step.fails === true) hold(from === undefined, `${name} is answered with what is stored`)
  else {
    checkSource({ step, number, script, client }, answer, from)
    checkAnswer({ step, number, script, client }, answer, from)
  }
  checkSent({ step, number, script, client })
}

function checkSource({ step, number, script }: Running, { status }: ClientAnswer, from: number | undefined): void {
  const name = `request ${number + 1}`
  const seen = script.received.filter((request) => request.step === number)
  // A request that a connection took along may be sent once more.
  const most = step.origin?.disconnects === true ? 2 : 1
  hold(seen.length <= most, `${name} reaches the origin ${seen.length} times`)
  switch (step.from) {
    case 'cache':
      hold(from === undefined ? status === 304 : from < number, `${name} is not answered from the cache`)
      hold(step.refreshed === true || seen.length === 0, `${name} reaches the origin`)
      break
    case 'origin':
      hold(from === number, `${name} is answered from the cache`)
      break
    case 'validation':
      hold(seen.length === 1, `${name} does not reach the origin`)
      hold(status !== 999, `${name} is not conditional at the origin`)
      break
    case undefined:
      break
  }
}

function checkAnswer({ step, number, script }: Running, answer: ClientAnswer, from: number | undefined): void {
  const name = `request ${number + 1}`
  const status = step.status === undefined ? (step.origin?.status ?? 200) : step.status
  hold(status === null || answer.status === status, `${name} is answered ${answer.status}, not ${status}`)
  const said = from === undefined ? undefined : script.answered.get(from)
  if (from === number && step.from !== 'validation') checkForwarded(step, name, answer, said?.fields ?? [])
  const surroundings = { now: said?.now ?? 0, path: script.path }
  for (const expected of step.fields ?? []) checkField(name, answer, expected, surroundings)
  for (const absent of step.absent ?? []) {
    const [field, value] = typeof absent === 'string' ? [absent, undefined] : absent
    const got = answer.get(field)
    const there = value === undefined ? got !== undefined : got?.includes(value) === true
    hold(!there, `${name} is answered with ${field}: ${got}`)
  }
  checkInterim(step, name, answer)
  const bodyless = answer.status === 204 || answer.status === 304 || step.method === 'HEAD'
  const body = step.body ?? (bodyless ? '' : said?.body)
  if (step.body !== null && body !== undefined)
    hold(answer.body === body, `${name} has the body "${answer.body}", not "${body}"`)
}

/** What the origin says to this request has to reach the client as it was sent. */
function checkForwarded(
  step: Step,
  name: string,
  answer: ClientAnswer,
  sent: readonly (readonly [string, string])[],
): void {
  const looked = (step.origin?.fields ?? [])
    .filter(([, , how]) => how !== 'loose')
    .map(([field]) => field.toLowerCase())
  for (const field of new Set(looked)) {
    if (OWN_TO_A_CONNECTION.has(field)) continue
    const value = sent.flatMap(([known, one]) => (known.toLowerCase() === field ? [one] : [])).join(', ')
    hold(answer.get(field) === value, `${name} gets ${field}: ${answer.get(field)}, not ${value}`)
  }
}

function checkField(
  name: string,
  answer: ClientAnswer,
  [field, expected]: Expected,
  surroundings: { now: number; path: string },
): void {
  const got = answer.get(field)
  if (typeof expected === 'object' && 'above' in expected) {
    hold(
      Number(got ?? Number.NaN) > expected.above,
      `${name} is answered with ${field}: ${got}, not above ${expected.above}`,
    )
    return
  }
  const value = valueOf(expected, surroundings)
  hold(got === value, `${name} is answered with ${field}: ${got}, not ${value}`)
}

function checkInterim({ interim }: Step, name: string, answer: ClientAnswer): void {
  if (interim === undefined) return
  hold(answer.interim.length === interim.length, `${name} gets ${answer.interim.length} interim answers`)
  for (const [index, { status, fields }] of interim.entries()) {
    const got = answer.interim[index]
    hold(got?.status === status, `${name} gets an interim ${got?.status}, not ${status}`)
    for (const [field, value] of fields)
      hold(got?.get(field) === value, `${name} gets an interim ${field}: ${got?.get(field)}`)
  }
}

function checkSent({ step, number, script }: Running): void {
  const name = `request ${number + 1}`
  if (step.sent === undefined && step.sentMethod === undefined) return
  const got = script.received.find((request) => request.step === number)
  hold(got !== undefined, `${name} does not reach the origin`)
  for (const [field, value] of step.sent ?? []) {
    hold(got?.get(field) === value, `${name} reaches the origin with ${field}: ${got?.get(field)}, not ${value}`)
  }
  if (step.sentMethod !== undefined)
    hold(got?.method === step.sentMethod, `${name} reaches the origin as ${got?.method}`)
}
