import { readFileSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { evaluatePreconditions, notModifiedFields } from '../cache/rules/conditional.ts'
import { fieldValue } from '../cache/rules/message.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Prepared } from '../downstream/prepared.ts'
import { discardBody } from '../downstream/unread-body.ts'
import type { Detour, Ends } from '../proxy/detour.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import { AnswerFileError } from './errors.ts'
import type { AnswerOptions } from './options.ts'

const MOST_FILE_BYTES = 8 * 1024 * 1024

/** By the end of a file's name, for what people put into an answer. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
}

/** A route that the gateway answers by itself, always alike. A file is read once, when the route is compiled. */
export class StaticAnswer implements Detour {
  readonly plans = []
  readonly #prepared: Prepared
  /** Its fields say by what a client may know it again. */
  readonly #isValidated: boolean

  /** @throws HR_ROUTE_ANSWER_FILE */
  constructor(key: string, { status, fields, body }: AnswerOptions) {
    const bytes = 'file' in body ? read(key, body.file) : Buffer.from(body.text)
    const isTyped = fields.some((name, index) => index % 2 === 0 && name === 'content-type')
    const type = 'file' in body ? typeOf(body.file) : 'text/plain; charset=utf-8'
    const typed = isTyped || bytes.length === 0 ? [] : ['content-type', type]
    this.#prepared = { told: { status, fields: [...fields, ...typed], body: bytes }, head: undefined }
    this.#isValidated = ['etag', 'last-modified'].some((name) => fieldValue(fields, name) !== undefined)
  }

  take(exchange: Exchange<RoutePlan>, ends: Ends): null {
    discardBody(exchange)
    const own = ['date', new Date().toUTCString(), 'x-request-id', exchange.requestId]
    if (this.#isKnownTo(exchange)) {
      const { fields } = this.#prepared.told
      exchange.about = fields
      exchange.status = 304
      exchange.reply.head(304, [...notModifiedFields(fields), ...own], null)
      exchange.reply.end()
    } else {
      exchange.status = this.#prepared.told.status
      exchange.reply.whole(this.#prepared, own)
    }
    ends.finish(exchange)
    return null
  }

  upgrade(): null {
    return null
  }

  /** Whether the client has it already (RFC 9110 §13.2.1: for a GET or HEAD, of an answer that is a success). */
  #isKnownTo({ method, fields }: Exchange): boolean {
    if (!this.#isValidated || !fields.conditional || (method !== 'GET' && method !== 'HEAD')) return false
    const now = Date.now()
    const head = { ...this.#prepared.told, requestedAt: now, receivedAt: now }
    return evaluatePreconditions(fields, head) === 'not-modified'
  }
}

function typeOf(file: string): string {
  return TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream'
}

function read(key: string, file: string): Buffer {
  try {
    const { size } = statSync(file)
    if (size > MOST_FILE_BYTES) throw new RangeError(`the file has ${size} bytes, and 8 MiB is the most`)
    return readFileSync(file)
  } catch (cause) {
    throw new AnswerFileError(key, `${file}: ${(cause as Error).message}`, { cause })
  }
}
