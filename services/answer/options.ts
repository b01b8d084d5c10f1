import type { Static } from 'typebox'
import { Type } from '../options/type.ts'

/** `answer` of a route: what the gateway says by itself. */
export const answerSchema = Type.Object(
  {
    status: Type.Integer({ default: 200, minimum: 200, maximum: 599, description: 'Its status' }),
    headers: Type.Record(Type.String(), Type.String(), {
      default: {},
      examples: [{ 'cache-control': 'max-age=3600' }],
      description: 'Its fields; Content-Type is text/plain, or what the name of the file says',
    }),
    body: Type.Optional(Type.String({ description: 'Its body, as text' })),
    file: Type.Optional(
      Type.String({ description: 'Its body, from a file of at most 8 MiB, read when the gateway starts' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [{ status: 410, body: 'gone' }],
    description: 'Answered by the gateway itself, in place of an upstream',
  },
)

export type AnswerInput = Static<typeof answerSchema>

export interface AnswerOptions {
  status: number
  /** Names in lower case: name, value, name, value. */
  fields: string[]
  /** Text, or the absolute path of a file that holds it. */
  body: { text: string } | { file: string }
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveAnswer(input: AnswerInput, toPath: (path: string) => string): AnswerOptions {
  const { status, headers, body = '', file } = input
  const fields = Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), value])
  return { status, fields, body: file === undefined ? { text: body } : { file: toPath(file) } }
}
