import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer, Case, Field, Step } from './case.ts'
import type { Clock } from './clock.ts'
import { valueOf } from './values.ts'

/** A request as the origin got it. */
export interface Received {
  step: number
  method: string
  get(name: string): string | undefined
}

/** What one case has asked of the origin, and what it was told. */
export class Script {
  readonly path: string
  readonly received: Received[] = []
  /** By step: the fields as they were sent, and when. */
  readonly answered = new Map<number, { fields: readonly (readonly [string, string])[]; body: string; now: number }>()
  readonly steps: readonly Step[]
  /** Resolves when time has passed: for answers that are held. */
  readonly hold: () => Promise<void>
  #body = ''

  constructor(path: string, { steps }: Case, hold: () => Promise<void>) {
    this.path = path
    this.steps = steps
    this.hold = hold
  }

  /** The body that goes with the answer to a step: what was said last, where it has none of its own. */
  bodyFor(step: number, status: number, method: string): string {
    if (status !== 304 && method !== 'HEAD') this.#body = this.steps[step]?.origin?.body ?? `${this.path} ${step}`
    return this.#body
  }
}

/** Which answer a client got: the step that it answers. */
export const STAMP = 'Origin-Step'
/** Which step a request belongs to. */
export const STEP = 'Client-Step'

/** The server behind the cache: it answers each request as the case says whose path it has. */
export class ScriptedOrigin {
  readonly #scripts = new Map<string, Script>()
  readonly #clock: Clock
  readonly #server: Server

  constructor(clock: Clock) {
    this.#clock = clock
    this.#server = createServer({ keepAlive: true }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  add(script: Script): void {
    this.#scripts.set(script.path, script)
  }

  /** @returns the port */
  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume()
    const script = this.#scriptOf(request.url ?? '')
    const number = Number(request.headers[STEP.toLowerCase()])
    const step = script?.steps[number]
    if (script === undefined || step === undefined) {
      response.writeHead(500, ['Content-Length', '0']).end()
      return
    }
    const all = request.headersDistinct
    script.received.push({
      step: number,
      method: request.method ?? '',
      get: (name) => all[name.toLowerCase()]?.join(', '),
    })
    const answer = step.origin ?? {}
    if (answer.held === true) await script.hold()
    if (answer.disconnects === true) {
      request.socket.destroy()
      return
    }
    sendInterim(response, answer)
    const now = this.#clock.now()
    const status = this.#statusFor(script, number, request)
    const body = script.bodyFor(number, status, request.method ?? '')
    const fields = (answer.fields ?? []).map(([name, value]: Field): [string, string] => [
      name,
      valueOf(value, { now, path: script.path }),
    ])
    script.answered.set(number, { fields, body, now })
    send(response, { status, body, now, step: number, fields, head: request.method === 'HEAD' })
  }

  #scriptOf(target: string): Script | undefined {
    const path = target.replace(/[?].*$/, '')
    return this.#scripts.get(path) ?? this.#scripts.get(path.replace(/\/[^/]*$/, ''))
  }

  /** 304 where the step expects a validation and the condition fits; 999 where it does not. */
  #statusFor(script: Script, number: number, request: IncomingMessage): number {
    const step = script.steps[number] as Step
    if (step.from !== 'validation') return step.origin?.status ?? 200
    const earlier = script.answered.get(number - 1) ?? script.answered.get(number - 2)
    const valueFor = (name: string): string | undefined => earlier?.fields.find(([known]) => known === name)?.[1]
    const tag = valueFor('ETag')
    const changed = valueFor('Last-Modified')
    const { 'if-none-match': noneMatch, 'if-modified-since': since } = request.headers
    const fits = (tag !== undefined && noneMatch === tag) || (changed !== undefined && since === changed)
    return fits ? 304 : 999
  }
}

function sendInterim(response: ServerResponse, { interim = [] }: Answer): void {
  for (const { status, fields } of interim) {
    if (status === 102) response.writeProcessing()
    else response.writeEarlyHints(Object.fromEntries(fields))
  }
}

interface Sent {
  status: number
  body: string
  now: number
  step: number
  fields: readonly (readonly [string, string])[]
  head: boolean
}

function send(response: ServerResponse, { status, body, now, step, fields, head }: Sent): void {
  const has = (name: string): boolean => fields.some(([known]) => known.toLowerCase() === name)
  const bodyless = status === 204 || status === 304
  const raw = [STAMP, String(step), ...fields.flat()]
  if (!has('date')) raw.push('Date', new Date(now).toUTCString())
  if (!has('content-type')) raw.push('Content-Type', 'text/plain')
  if (!has('content-length') && !has('transfer-encoding') && !bodyless) raw.push('Content-Length', String(body.length))
  response.sendDate = false
  response.writeHead(status, STATUS_CODES[status] ?? 'Whatever', raw)
  if (has('transfer-encoding')) response.shouldKeepAlive = false
  // As bytes: Node writes a text and the head before it as UTF-8.
  response.end(bodyless || head ? undefined : Buffer.from(body))
}
