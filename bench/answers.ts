/** Whether contenders answer as they have to: one that alters an answer is not measured at all. */
import { Agent, request as send } from 'undici'
import { type Range, type Runner, served } from './measure.ts'
import type { Request } from './scenarios/scenario.ts'

interface Answer {
  status: number
  etag: string
  body: string
}

async function ask(agent: Agent, base: string, { method, path, fields, body, unique }: Request): Promise<Answer> {
  const url = base + path + (unique === true ? crypto.randomUUID() : '')
  const response = await send(url, { dispatcher: agent, method, headers: fields, body })
  const { etag = '' } = response.headers
  return { status: response.statusCode, etag: String(etag), body: await response.body.text() }
}

/** The origin knows neither HEAD nor conditions: what a cache makes of them is derived from its answer to GET. */
async function expected(agent: Agent, origin: string, request: Request): Promise<Answer> {
  const { status, bodyBytes } = request.answer
  const plain = await ask(agent, origin, { ...request, method: request.method === 'POST' ? 'POST' : 'GET' })
  return { ...plain, status, body: bodyBytes === 0 ? '' : plain.body }
}

/**
 * Asks every entrant for everything twice. Both answers have to equal the origin's, and only what is to reach the origin
 * may reach it the second time.
 *
 * @throws Error for the first that does not
 */
export async function checkAnswers(range: Range, origin: string, runners: readonly Runner[]): Promise<void> {
  const agent = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } })
  try {
    await checkAll(agent, { range, origin, runners })
  } finally {
    await agent.close()
  }
}

async function checkAll(
  agent: Agent,
  { range, origin, runners }: { range: Range; origin: string; runners: readonly Runner[] },
): Promise<void> {
  for (const runner of runners) {
    for (const request of runner.entrant.traffic.requests) {
      const wanted = JSON.stringify(await expected(agent, origin, request))
      const what = `${request.method} ${request.path} of ${runner.entrant.peer.name}`
      await askOnce(agent, { runner, request, wanted, what })
      const before = await served(range.origin)
      await askOnce(agent, { runner, request, wanted, what })
      const reached = (await served(range.origin)) > before
      if (reached === request.reachesOrigin) continue
      throw new Error(`${what} ${reached ? 'is no hit the second time' : 'does not reach the origin'}`)
    }
  }
}

async function askOnce(
  agent: Agent,
  { runner, request, wanted, what }: { runner: Runner; request: Request; wanted: string; what: string },
): Promise<void> {
  const answer = JSON.stringify(await ask(agent, runner.url, request))
  if (answer === wanted) return
  throw new Error(`${what} is answered with ${answer.slice(0, 200)} instead of ${wanted.slice(0, 200)}`)
}
