import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, Size } from '../options/schema.ts'
import { Type } from '../options/type.ts'

const MOST = 64
const Texts = (description: string, examples: Record<string, string>[]) =>
  Type.Record(Type.String(), Type.String(), { default: {}, maxProperties: MOST, examples, description })
const Names = (description: string) => Type.Array(Type.String(), { default: [], maxItems: MOST, description })

const Hook = Type.Optional(
  Type.String({
    pattern: '^[^#]+#[A-Za-z_$][A-Za-z0-9_$]*$',
    expects: "a file and the name of its export: './hooks.ts#addTenant'",
    description: "Code: a file and the name of its export, './hooks.ts#name'",
  }),
)

const headersSchema = Type.Object(
  {
    set: Texts('Fields in place of those of their name', [{ 'x-tenant': '${claim.tenant}' }]),
    add: Texts('Fields beside those of their name', [{ vary: 'x-tenant' }]),
    remove: Names('Fields that are left out'),
    rename: Texts('Fields that get another name, with their values', [{ 'x-old': 'x-new' }]),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ remove: ['x-internal'] }],
    description:
      'Fields; values may have ${header.x}, ${query.x}, ${param.id}, ${claim.sub}, ${consumer} and ${requestId} of the request',
  },
)

const querySchema = Type.Object(
  {
    set: Texts('Parameters in place of those of their name', [{ lang: 'de' }]),
    remove: Names('Parameters that are left out'),
    rename: Texts('Parameters that get another name', [{ q: 'query' }]),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ remove: ['utm_source'] }],
    description: 'The query that is sent; values as those of headers',
  },
)

const bodySchema = Type.Object(
  {
    pick: Names('All that is kept: JSON Pointers, in which * stands for each item or member'),
    remove: Names('What is left out'),
    mask: Names("What becomes '***'"),
    rename: Texts('Members that get another name, by their pointers', [{ '/items/*/sku': 'code' }]),
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ mask: ['/card/number'] }],
    description: 'JSON bodies, by what stands in them as they come; other types go by',
  },
)

const requestSchema = Type.Object(
  { headers: headersSchema, query: querySchema, body: bodySchema, hook: Hook },
  { additionalProperties: false, default: {}, examples: [{ headers: {} }], description: 'What the upstream is sent' },
)

const responseSchema = Type.Object(
  {
    status: Type.Record(Type.String({ pattern: '^[2-5]\\d\\d$' }), Type.Integer({ minimum: 200, maximum: 599 }), {
      default: {},
      additionalProperties: false,
      examples: [{ '404': 410 }],
      description: 'Statuses that become others',
    }),
    headers: headersSchema,
    body: bodySchema,
    hook: Hook,
  },
  {
    additionalProperties: false,
    default: {},
    examples: [{ status: { '404': 410 } }],
    description: 'What becomes of its answer, before it is stored',
  },
)

/** `transform` of a route. */
export const transformSchema = Type.Object(
  {
    request: requestSchema,
    response: responseSchema,
    bodySize: Size({
      default: '1MiB',
      description: 'Largest body that is transformed, held in memory meanwhile; a larger one is refused',
    }),
    hookTimeout: Duration({
      default: '1s',
      description: 'How long a hook may take; what it does without waiting for anything cannot be cut off',
    }),
  },
  {
    additionalProperties: false,
    examples: [{ response: { headers: { remove: ['x-internal'] } } }],
    description: 'Change requests and answers on their way',
  },
)

export type TransformInput = Static<typeof transformSchema>

/** Names in lower case; pairs of a name and what becomes of it. */
export interface FieldChanges {
  set: readonly (readonly [string, string])[]
  add: readonly (readonly [string, string])[]
  remove: readonly string[]
  rename: readonly (readonly [string, string])[]
}

export interface QueryChanges {
  set: readonly (readonly [string, string])[]
  remove: readonly string[]
  rename: readonly (readonly [string, string])[]
}

/** JSON Pointers (RFC 6901), in which a token `*` stands for each item or member. */
export interface BodyChanges {
  pick: readonly string[]
  remove: readonly string[]
  mask: readonly string[]
  rename: readonly (readonly [string, string])[]
}

/** A file and the name of what it exports. */
export interface HookReference {
  file: string
  name: string
}

export interface TransformOptions {
  /** Each is `null` where nothing is changed. */
  request: {
    headers: FieldChanges | null
    query: QueryChanges | null
    body: BodyChanges | null
    hook: HookReference | null
  }
  response: {
    status: readonly (readonly [number, number])[]
    headers: FieldChanges | null
    body: BodyChanges | null
    hook: HookReference | null
  }
  bodyBytes: number
  hookTimeoutMs: number
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveTransform(
  input: TransformInput | undefined,
  toPath: (path: string) => string,
): TransformOptions | null {
  if (input === undefined) return null
  const { request, response, bodySize, hookTimeout } = input
  return {
    request: {
      headers: fieldsOf(request.headers),
      query: orNull({
        ...request.query,
        set: Object.entries(request.query.set),
        rename: Object.entries(request.query.rename),
      }),
      body: bodyOf(request.body),
      hook: hookOf(request.hook, toPath),
    },
    response: {
      status: Object.entries(response.status).map(([from, to]) => [Number(from), to] as const),
      headers: fieldsOf(response.headers),
      body: bodyOf(response.body),
      hook: hookOf(response.hook, toPath),
    },
    bodyBytes: bytes(bodySize),
    hookTimeoutMs: milliseconds(hookTimeout),
  }
}

function fieldsOf({ set, add, remove, rename }: Static<typeof headersSchema>): FieldChanges | null {
  const lower = (pairs: Record<string, string>): [string, string][] =>
    Object.entries(pairs).map(([name, value]) => [name.toLowerCase(), value])
  return orNull({
    set: lower(set),
    add: lower(add),
    remove: remove.map((name) => name.toLowerCase()),
    rename: lower(rename).map(([name, to]) => [name, to.toLowerCase()] as const),
  })
}

function bodyOf({ pick, remove, mask, rename }: Static<typeof bodySchema>): BodyChanges | null {
  return orNull({ pick, remove, mask, rename: Object.entries(rename) })
}

/** `null` where all of it is empty. */
function orNull<T extends Record<keyof T, readonly unknown[]>>(changes: T): T | null {
  return Object.values<readonly unknown[]>(changes).every((list) => list.length === 0) ? null : changes
}

function hookOf(hook: string | undefined, toPath: (path: string) => string): HookReference | null {
  if (hook === undefined) return null
  const at = hook.lastIndexOf('#')
  return { file: toPath(hook.slice(0, at)), name: hook.slice(at + 1) }
}
