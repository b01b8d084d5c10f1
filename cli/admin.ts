import { stripVTControlCharacters } from 'node:util'
import { getCACertificates } from 'node:tls'
import { Agent, request } from 'undici'
import { PERFORMANCE_ALIAS } from '../services/control/options.ts'
import type { AdminAccess } from './admin-access.ts'
import { AnswerError, TokenRefusedError, UnreachableError } from './errors.ts'

/** The performance API at the path that no configuration moves: the gateway's address alone is enough. */
const BASE = PERFORMANCE_ALIAS

const DEADLINE_MS = 5_000
/** 202: what was asked for has begun. */
const DONE: ReadonlySet<number> = new Set([200, 202])
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Speaks to the performance API of a running gateway. */
export interface AdminClient {
  /** @param members that the answer must have. @throws HR_CLI_UNREACHABLE, HR_CLI_TOKEN_REFUSED, HR_CLI_ANSWER */
  get<T extends object>(path: string, members: readonly (keyof T & string)[]): Promise<T>
  /** The same, after it has sent `body` as JSON. */
  put<T extends object>(path: string, body: object, members: readonly (keyof T & string)[]): Promise<T>
  post<T extends object>(path: string, body: object, members: readonly (keyof T & string)[]): Promise<T>
}

/**
 * Runs `action` with a client, whose connections are closed afterwards.
 *
 * @param deadlineMs for each request, until the end of its answer
 * @throws HR_CLI_UNREACHABLE, HR_CLI_TOKEN_REFUSED, HR_CLI_ANSWER, each with what to do next
 */
export async function withAdmin<R>(
  access: AdminAccess,
  action: (admin: AdminClient) => Promise<R>,
  deadlineMs: number = DEADLINE_MS,
): Promise<R> {
  const { certificate } = access
  const agent = new Agent({
    maxResponseSize: MAX_ANSWER_BYTES,
    allowH2: false,
    // `ca` takes the place of all the others.
    ...(certificate !== null && { connect: { ca: [...getCACertificates('default'), certificate] } }),
  })
  const send = async (method: 'GET' | 'PUT' | 'POST', path: string, body?: object): Promise<Answer> => {
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(`${access.url}${BASE}${path}`, {
        method,
        dispatcher: agent,
        signal: AbortSignal.timeout(deadlineMs),
        headers: {
          authorization: `Bearer ${access.token}`,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      })
      return { status: statusCode, location: headers.location, body: parse(await answer.text()) }
    } catch (error) {
      throw unreachable(access, error, deadlineMs)
    }
  }
  try {
    return await action({
      get: async (path, members) => expect(access, await send('GET', path), members),
      put: async (path, body, members) => expect(access, await send('PUT', path, body), members),
      post: async (path, body, members) => expect(access, await send('POST', path, body), members),
    })
  } finally {
    await agent.destroy()
  }
}

interface Answer {
  status: number
  location: string | string[] | undefined
  /** `null` where it is no JSON object. */
  body: Record<string, unknown> | null
}

function parse(text: string): Answer['body'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    // Whoever answers in something else than JSON is not a gateway of ours; expect() says so.
    return null
  }
}

function expect<T extends object>(access: AdminAccess, answer: Answer, members: readonly (keyof T & string)[]): T {
  const { status, body, location } = answer
  const { url, urlFrom, tokenFrom } = access
  if (DONE.has(status) && body !== null && members.every((name) => Object.hasOwn(body, name))) return body as T
  if (status === 401) {
    throw new TokenRefusedError(
      `The gateway at ${url} does not take the admin token of ${tokenFrom}. Give the one it was started with by --token, or in HEADRACE_ADMIN_TOKEN.`,
    )
  }
  if (status >= 300 && status < 400) {
    throw new AnswerError(
      `${url} (${urlFrom}) redirects to ${printable(String(location))}. Name the control plane itself with --admin.`,
    )
  }
  if (typeof body?.code === 'string' && typeof body.detail === 'string' && status !== 404) {
    const said = printable(`${body.detail} (${body.code})`)
    throw Object.assign(new AnswerError(`The gateway at ${url} answered ${status}: ${said}`), { problem: body })
  }
  const what = DONE.has(status) ? 'answered with something else' : `answered ${status}`
  throw new AnswerError(
    `There is no control plane of Headrace at ${url} (${urlFrom}): it ${what}. Name the admin listener with --admin; where endpoints.performance is false, there is none.`,
  )
}

/** What a stranger sent, as text that cannot steer the terminal, and not much of it. */
function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, 500)
}

function unreachable(access: AdminAccess, error: unknown, deadlineMs: number): Error {
  const { url, urlFrom } = access
  const { code = '', name, message } = error as NodeJS.ErrnoException
  const say = (what: string, next: string): Error =>
    new UnreachableError(`${what} at ${url} (${urlFrom}). ${next}`, { cause: error })
  if (name === 'TimeoutError') {
    return say(
      `No answer within ${deadlineMs} ms`,
      'The gateway may be overloaded or stopped, or the address may be wrong: look at its log, or name another with --admin.',
    )
  }
  if (code === 'ECONNREFUSED') {
    return say(
      'Nothing listens',
      'The gateway is not running: start it with headrace serve, or name another with --admin.',
    )
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return say('The host name does not resolve', 'Correct the address of --admin.')
  }
  if (/CERT|SIGNATURE/.test(code)) {
    return say(
      `The certificate is not trusted (${code})`,
      'Name the gateway with --admin as its certificate does, by an http listener, or trust its issuer with NODE_EXTRA_CA_CERTS.',
    )
  }
  return say(
    `The connection failed (${printable(code || message)})`,
    'Is it the admin listener, and http or https as it should be? Name another with --admin.',
  )
}
