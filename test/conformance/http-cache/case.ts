/** What the cases of the suite are made of. Times are seconds; field values that depend on the time are {@link Moment}s. */

/** `required`: the RFC says MUST. `optimal`: what a good cache does. `check`: either is right; what we do is pinned. */
export type Kind = 'required' | 'optimal' | 'check'

/** A date that is so many seconds from now. */
export interface Moment {
  seconds: number
  format: 'imf-fixdate' | 'rfc850'
}

/** The path of the case, with a suffix. */
export interface Here {
  suffix: string
}

export type Value = string | Moment | Here

/** `loose`: how the first client gets this field says nothing about the cache, and is not looked at. */
export type Field = readonly [name: string, value: Value, looked?: 'loose']

/** What the origin answers where a step's request reaches it. */
export interface Answer {
  /** Default: 200. */
  status?: number
  fields?: readonly Field[]
  /** Default: a text of its own for each step. */
  body?: string
  interim?: readonly { status: 102 | 103; fields: readonly (readonly [string, string])[] }[]
  /** It closes the connection instead. */
  disconnects?: true
  /** It answers when the others have gone through the next pause. */
  held?: true
}

/** Where the answer to a step has to come from. */
export type Source =
  /** What an earlier step left behind; the origin is not asked. */
  | 'cache'
  /** The origin's answer to this step. */
  | 'origin'
  /** Stored, after the origin has answered a condition with 304. */
  | 'validation'

/** A field of the answer: its value, or that its number is above one. */
export type Expected = readonly [name: string, value: Value | { above: number }]

export interface Expectation {
  /** Default: the status that the origin answers this step with. `null`: any. */
  status?: number | null
  /** Default: the body that belongs to the answer. `null`: any. */
  body?: string | null
  fields?: readonly Expected[]
  /** Fields that the answer has not, or not with this value. */
  absent?: readonly (string | readonly [name: string, value: string])[]
  /** Fields of the request as the origin gets it. */
  sent?: readonly (readonly [name: string, value: string])[]
  sentMethod?: string
  interim?: readonly { status: number; fields: readonly (readonly [string, string])[] }[]
  /** The origin may be asked behind the client's back. */
  refreshed?: true
  /** No answer of the origin's may be in it: an error, or a broken connection. */
  fails?: true
}

/** One request of the client, and what follows. */
export interface Step extends Expectation {
  method?: string
  /** After the path of the case. */
  suffix?: string
  query?: string
  request?: readonly Field[]
  content?: string
  origin?: Answer
  from?: Source
  /** How often three seconds pass before the next step. */
  wait?: 1 | 2
}

/** One rule of HTTP caching. */
export interface Case {
  id: string
  kind: Kind
  /** Where it is written: `9111 §4.2.1`. */
  rfc: string
  /** What the cache does: a sentence that begins with a verb. */
  rule: string
  steps: readonly Step[]
}

type Make = (id: string, rfc: string, rule: string, steps: readonly Step[]) => Case

const make =
  (kind: Kind): Make =>
  (id, rfc, rule, steps) => ({ id, kind, rfc, rule, steps })

export const required = make('required')
export const optimal = make('optimal')
export const check = make('check')

/** A date, in seconds from now. */
export function at(seconds: number, format: Moment['format'] = 'imf-fixdate'): Moment {
  return { seconds, format }
}

export function here(suffix = ''): Here {
  return { suffix }
}

/** A request whose answer may be stored. */
export function store(fields: readonly Field[], rest: Step & { answer?: Answer } = {}): Step {
  const { answer, ...step } = rest
  return { ...step, origin: { ...answer, fields } }
}

/** The same, and three seconds pass. */
export function storeAndWait(fields: readonly Field[], rest: Step & { answer?: Answer } = {}): Step {
  return { ...store(fields, rest), wait: 1 }
}

/** The request once more. */
export function again(from: Source, rest: Step = {}): Step {
  return { ...rest, from }
}

/** Stored, three seconds, asked again. */
export function thenAgain(fields: readonly Field[], from: Source): readonly Step[] {
  return [storeAndWait(fields), again(from)]
}

export function cacheControl(value: string): Field {
  return ['Cache-Control', value]
}

export const FRESH = cacheControl('max-age=3600')
