import { Buffer } from 'node:buffer'
import { fieldValue, requestFieldValue } from '../cache/rules/message.ts'
import { acceptsCoding } from '../cache/rules/preferences.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Prepared } from '../downstream/prepared.ts'
import { RelayedReply } from '../downstream/relayed-reply.ts'
import type { Reply } from '../downstream/reply.ts'
import { CodedBody } from './coded-body.ts'
import { codeNow, createCoder, createDecoder, isDecodable } from './coders.ts'
import type { CompressionPolicy } from './policy.ts'
import { type Eligibility, eligibilityOf, forbidsTransforming, type Traits, traitsOf } from './rules/eligibility.ts'
import { codedFields, codedTrailers, decodedFields, notModified, varied } from './rules/fields.ts'
import type { Choice, Coding } from './rules/negotiation.ts'
import { bytesOf, NOW_BYTES, type StoredForms } from './stored-forms.ts'

/** How a route's answers are compressed. */
export interface Compression {
  policy: CompressionPolicy
  stored: StoredForms
}

/** An answer that is coded on its way: what it becomes, and from what. */
interface Plan {
  status: number
  fields: string[]
  /** Of the body as it comes. */
  length: number | null
  /** What undoes the upstream's coding, by option. */
  decode: string | null
  /** `null`: it is only decoded. */
  coding: Coding | null
  isRequired: boolean
}

/**
 * A reply that codes what is answered as its client likes it: the last step before the client, after the cache, which
 * keeps answers as they came (docs/compression.md). A small body that comes in one piece is coded at once and keeps a
 * length; everything else streams through a coder, and pieces of a stream without a length leave as they come.
 */
export class CompressedReply extends RelayedReply {
  readonly #exchange: Exchange
  readonly #compression: Compression
  /** Waits for its body, at most until the event loop has turned. */
  #held: Plan | undefined
  #body: CodedBody | undefined
  /** A body that came in one piece is through. */
  #complete = false

  constructor(reply: Reply, exchange: Exchange, compression: Compression) {
    super(reply)
    this.#exchange = exchange
    this.#compression = compression
  }

  override head(status: number, fields: string[], length: number | null): void {
    this.#held = undefined
    const plan = this.#plan(status, fields, length)
    if (Array.isArray(plan)) {
      this.reply.head(status, plan, length)
      return
    }
    if (length === null || length > NOW_BYTES || plan.decode !== null) {
      this.#begin(plan)
      return
    }
    this.#held = plan
    setImmediate(() => {
      if (this.#held === plan) this.#begin(plan)
    })
  }

  override write(chunk: Uint8Array): boolean {
    const held = this.#held
    if (held !== undefined) {
      if (held.length === chunk.length) {
        this.#whole(held, chunk)
        return true
      }
      this.#begin(held)
    }
    if (this.#complete) return true
    return this.#body === undefined ? this.reply.write(chunk) : this.#body.write(chunk)
  }

  override drained(callback: () => void): void {
    if (this.#body === undefined) this.reply.drained(callback)
    else this.#body.drained(callback)
  }

  override end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined && (this.#held !== undefined || this.#body !== undefined)) {
      this.write(chunk)
      this.end(undefined, trailers)
      return
    }
    // A body that is shorter than it was said to be: as a coded one, it ends in the same way.
    if (this.#held !== undefined) this.#begin(this.#held)
    if (this.#complete) return
    if (this.#body === undefined) this.reply.end(chunk, trailers)
    else this.#body.end(undefined, trailers === undefined ? undefined : codedTrailers(trailers))
  }

  override whole(prepared: Prepared, own: readonly string[]): void {
    const { stored } = this.#compression
    const forms = stored.formsOf(prepared)
    const { eligibility } = forms
    const { coding, isRequired } = this.#choice()
    const { method, fields } = this.#exchange
    if (eligibility === 'fixed') {
      this.#wholeAsItIs(prepared, own)
    } else if (
      coding !== null &&
      isWorth(eligibility, isRequired) &&
      method !== 'HEAD' &&
      fields.range === undefined &&
      !forbidsTransforming(fields.cacheControl)
    ) {
      stored.coded(prepared, { forms, coding }, (form) => {
        if (!this.reply.gone) this.reply.whole(form, own)
      })
    } else {
      this.reply.whole(forms.plain, own)
    }
  }

  override abort(): void {
    this.#held = undefined
    this.#body?.destroy()
    this.reply.abort()
  }

  /** What forbids it, or is coded already; by option, that is coded anew. */
  #wholeAsItIs(prepared: Prepared, own: readonly string[]): void {
    const { status, fields, body } = prepared.told
    if (!this.#compression.policy.transcode || fieldValue(fields, 'content-encoding') === undefined) {
      this.reply.whole(prepared, own)
      return
    }
    this.head(status, [...fields.filter((_, i) => fields[i - (i % 2)] !== 'age'), ...own], body.length)
    if (this.#exchange.method === 'HEAD') this.end()
    else this.end(bytesOf(prepared))
  }

  /** What becomes of an answer: its fields where its body stays as it is. */
  #plan(status: number, fields: string[], length: number | null): string[] | Plan {
    const { policy } = this.#compression
    const { method, fields: request, protocol, about } = this.#exchange
    // A 304 goes by the answer that it is about, where that is known.
    const isAbout = status === 304 && about !== undefined
    const traits = traitsOf(isAbout ? about : fields)
    const isFixed = forbidsTransforming(request.cacheControl)
    const judged = isAbout ? 200 : status
    const message = { method, hasRange: request.range !== undefined, isFixed, status: judged, length }
    const eligibility = eligibilityOf({ ...message, traits }, policy)
    if (eligibility === 'fixed') {
      if (!policy.transcode || traits.coding === null) return fields
      const bare = eligibilityOf({ ...message, traits: { ...traits, coding: null } }, policy)
      if (status === 304 && bare !== 'fixed') return notModified(fields, request.ifNoneMatch)
      return this.#transcoding(bare, { status, fields, length, traits })
    }
    if (status === 304) return notModified(fields, request.ifNoneMatch)
    const { coding, isRequired } = this.#choice()
    // Where the end of the connection ends the body, nobody could tell a whole one from a part.
    const isCoded = coding !== null && isWorth(eligibility, isRequired) && protocol !== '1.0'
    if (!isCoded) return varied(fields)
    return { status, fields, length, decode: null, coding, isRequired }
  }

  /** The upstream has coded it: in another way than the client likes, or in one that it does not accept. */
  #transcoding(
    eligibility: Eligibility,
    { status, fields, length, traits }: Pick<Plan, 'status' | 'fields' | 'length'> & { traits: Traits },
  ): string[] | Plan {
    if (eligibility === 'fixed') return fields
    const decode = traits.coding as string
    const { coding } = this.#choice()
    const accepted = requestFieldValue(this.#exchange.fields.kept, 'accept-encoding')
    const isLiked = coding === null ? acceptsCoding(accepted, decode) : coding === decode
    const hasBody = eligibility === 'codable' || eligibility === 'small'
    if (!hasBody || isLiked || !isDecodable(decode) || this.#exchange.protocol === '1.0') return varied(fields)
    return { status, fields, length, decode, coding, isRequired: true }
  }

  #choice(): Choice {
    return this.#compression.policy.choose(requestFieldValue(this.#exchange.fields.kept, 'accept-encoding'))
  }

  /** The body streams. */
  #begin({ status, fields, length, decode, coding }: Plan): void {
    this.#held = undefined
    this.reply.head(status, coding === null ? decodedFields(fields) : codedFields(fields, coding), null)
    const { levels } = this.#compression.policy
    const decoder = decode === null ? undefined : createDecoder(decode)
    const coder =
      coding === null ? undefined : createCoder(coding, levels[coding], decoder === undefined ? length : null)
    const coders = [decoder, coder].filter((each) => each !== undefined)
    const [first, ...others] = coders
    if (first !== undefined) this.#body = new CodedBody(this.reply, [first, ...others], length)
  }

  /** The body has come in one piece. */
  #whole({ status, fields, coding, isRequired }: Plan, bytes: Uint8Array): void {
    this.#held = undefined
    this.#complete = true
    const name = coding as Coding
    const coded = codeNow(bytes, name, this.#compression.policy.levels[name])
    const isSmaller = isRequired || coded.length < bytes.length
    const body = isSmaller ? coded : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.reply.head(status, isSmaller ? codedFields(fields, name) : varied(fields), body.length)
    this.reply.end(body)
  }
}

function isWorth(eligibility: Eligibility, isRequired: boolean): boolean {
  return eligibility === 'codable' || (eligibility === 'small' && isRequired)
}
