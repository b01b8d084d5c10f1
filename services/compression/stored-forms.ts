import { Buffer } from 'node:buffer'
import { STRING_BODY_BYTES } from '../cache/stored.ts'
import type { Prepared } from '../downstream/prepared.ts'
import { code, codeNow } from './coders.ts'
import { WorkerQueueFullError } from '../workers/errors.ts'
import type { CompressionPolicy } from './policy.ts'
import type { Recode } from './recoder.ts'
import { type Eligibility, eligibilityOf, traitsOf } from './rules/eligibility.ts'
import { codedFields, varied } from './rules/fields.ts'
import type { Coding } from './rules/negotiation.ts'

/** Up to this size coding on this thread takes less time than asking another: 60 µs with zstd 3, 180 with br 4. */
export const NOW_BYTES = 32_768

/** One coding of an answer that is kept. */
interface Form {
  prepared: Prepared | undefined
  /** Who waits for the first one. */
  waiting: ((prepared: Prepared) => void)[]
  /** Uses until it is made again, as hard as it takes; once it is, there is no such use. */
  usesLeft: number
}

/** A form, and what it is one of. */
interface Making {
  forms: Forms
  form: Form
  coding: Coding
}

/** What was made of an answer that is kept. */
export interface Forms {
  /** Of the policy that it was made by. */
  fingerprint: string
  /** Whether it may be coded, whoever asks. */
  eligibility: Eligibility
  /** As it is, and telling caches that others get it coded. */
  plain: Prepared
  coded: Partial<Record<Coding, Form>>
  /** Memory that all of it is taken to hold. */
  bytes: number
}

export interface StoredFormsOptions {
  policy: CompressionPolicy
  /** Notes that a stored answer holds so many bytes more, or less. @returns `false` where it may not, or is gone */
  charge(prepared: Prepared, bytes: number): boolean
  /** Makes what is asked for again as small as can be; `null`: nothing does. */
  recode: Recode | null
}

/** So many times it is asked for before it is worth that, and before the line is tried again that was full. */
const WORTH_USES = 2
const RETRY_USES = 32

/**
 * The codings of answers that are kept whole, such as those of the cache: made when a client first asks for one, at the
 * level of answers on their way, and again as small as can be, in a worker thread, once others ask for it too. They are
 * kept with the answer, in whose memory they count, and go with it: no purge has to know of them.
 */
export class StoredForms {
  readonly #options: StoredFormsOptions

  constructor(options: StoredFormsOptions) {
    this.#options = options
  }

  /** Calls back with the coded answer: at once where it is there, or small. */
  coded(prepared: Prepared, { forms, coding }: { forms: Forms; coding: Coding }, then: (form: Prepared) => void): void {
    const form = (forms.coded[coding] ??= { prepared: undefined, waiting: [], usesLeft: WORTH_USES })
    if (form.prepared !== undefined) {
      if (--form.usesLeft === 0) this.#recode(prepared, { forms, form, coding })
      then(form.prepared)
      return
    }
    if (form.waiting.push(then) > 1) return
    const bytes = bytesOf(prepared)
    const level = this.#options.policy.levels[coding]
    if (bytes.length <= NOW_BYTES) {
      this.#made(prepared, { forms, form, coding }, codeNow(bytes, coding, level))
      return
    }
    code(bytes, { coding, level }, (error, coded) => {
      // Out of memory, at most: it is sent as it is, and tried again when somebody asks.
      if (error === null) this.#made(prepared, { forms, form, coding }, coded)
      else answer(form, forms.plain)
    })
  }

  #made(prepared: Prepared, { forms, form, coding }: Making, body: Buffer): void {
    const { status, fields } = prepared.told
    // What gains nothing stays as it is.
    const isSmaller = body.length < prepared.told.body.length
    const made = isSmaller ? preparedOf(status, codedFields(fields, coding), body) : forms.plain
    if (!isSmaller) form.usesLeft = Number.POSITIVE_INFINITY
    const bytes = isSmaller ? footprint(made) : 0
    if (this.#options.charge(prepared, bytes)) {
      form.prepared = made
      forms.bytes += bytes
    }
    answer(form, made)
  }

  /** Once: what fails is left as it is, but for a line that is full. */
  #recode(prepared: Prepared, making: Making): void {
    const { form, coding } = making
    const { recode, policy } = this.#options
    const bytes = bytesOf(prepared)
    const level = policy.stored.levels[coding]
    form.usesLeft = Number.POSITIVE_INFINITY
    if (recode === null || bytes.length > policy.stored.maxBytes || level === policy.levels[coding]) return
    recode({ bytes, coding, level }).then(
      (body) => this.#replace(prepared, making, body),
      (error: unknown) => {
        if (error instanceof WorkerQueueFullError) form.usesLeft = RETRY_USES
      },
    )
  }

  #replace(prepared: Prepared, { forms, form }: Making, body: Uint8Array): void {
    const { told } = form.prepared as Prepared
    if (body.length >= told.body.length) return
    const made = preparedOf(told.status, told.fields, body)
    const bytes = footprint(made) - footprint(form.prepared as Prepared)
    // It may have gone meanwhile, or other options be in force.
    if (prepared.forms !== forms || !this.#options.charge(prepared, bytes)) return
    form.prepared = made
    forms.bytes += bytes
  }

  formsOf(prepared: Prepared): Forms {
    const { policy } = this.#options
    const known = prepared.forms as Forms | undefined
    if (known?.fingerprint === policy.fingerprint) return known
    if (known !== undefined) this.#options.charge(prepared, -known.bytes)
    const { status, fields, body } = prepared.told
    const message = { method: 'GET', hasRange: false, isFixed: false, status, length: body.length }
    const eligibility = eligibilityOf({ ...message, traits: traitsOf(fields) }, policy)
    const plain = eligibility === 'fixed' ? prepared : preparedOf(status, varied(fields), body)
    const bytes = plain === prepared ? 0 : footprint(plain) - body.length
    const forms: Forms = { fingerprint: policy.fingerprint, eligibility, plain, coded: {}, bytes }
    // Where it may not be kept, it is for this answer alone.
    if (this.#options.charge(prepared, bytes)) prepared.forms = forms
    return forms
  }
}

function answer(form: Form, prepared: Prepared): void {
  const { waiting } = form
  form.waiting = []
  for (const then of waiting) then(prepared)
}

export function bytesOf({ told: { body } }: Prepared): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body, 'latin1') : body
}

function preparedOf(status: number, fields: readonly string[], body: string | Uint8Array): Prepared {
  const kept = typeof body === 'string' || body.length > STRING_BODY_BYTES ? body : Buffer.from(body).toString('latin1')
  return { told: { status, fields, body: kept }, head: undefined }
}

/** Objects and lists of a form. */
const FORM_BYTES = 512

/** Its fields share their strings with the answer it was made of, but stand once more in its head. */
function footprint({ told: { fields, body } }: Prepared): number {
  let bytes = FORM_BYTES + body.length
  for (const text of fields) bytes += 8 + text.length
  return bytes
}
