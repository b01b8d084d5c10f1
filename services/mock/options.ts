import { pathToFileURL } from 'node:url'
import type { Static } from 'typebox'
import { Type } from '../options/type.ts'

/** `mock` of a route. */
export const mockSchema = Type.Union(
  [
    Type.Boolean(),
    Type.String({ pattern: '.', expects: "a file such as './openapi.json'", description: 'The file of the document' }),
    Type.Object(
      {
        document: Type.Optional(
          Type.String({
            pattern: '.',
            expects: "a file such as './openapi.json'",
            description: 'The file of the document',
          }),
        ),
        status: Type.Optional(
          Type.Integer({
            minimum: 200,
            maximum: 599,
            description: 'The status that is answered where a client prefers none; without it, the first success',
          }),
        ),
        example: Type.Optional(
          Type.String({ description: 'The name of the example that is answered where a client prefers none' }),
        ),
      },
      {
        additionalProperties: false,
        examples: [{ status: 200, example: 'full' }],
        description: 'Which of the answers in the document is given',
      },
    ),
  ],
  {
    default: false,
    description:
      "Answer from the examples of the upstream's `openapi` (true), or of another file ('./openapi.json'), without asking any upstream; Prefer: code=404, example=name chooses",
  },
)

export type MockInput = Static<typeof mockSchema>

export interface MockOptions {
  /** The `file:` URL of the document; `null`: the upstream's own. */
  document: string | null
  /** `null`: the first success. */
  status: number | null
  /** `null`: the first. */
  example: string | null
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveMock(input: MockInput, toPath: (path: string) => string): MockOptions | null {
  if (input === false) return null
  const { document, status, example } = mockObject(input)
  return {
    document: document === undefined ? null : pathToFileURL(toPath(document)).href,
    status: status ?? null,
    example: example ?? null,
  }
}

/** What is said as a word, as the object that says the same. */
export function mockObject(input: Exclude<MockInput, false>): { document?: string; status?: number; example?: string } {
  if (typeof input === 'string') return { document: input }
  return typeof input === 'object' ? input : {}
}
