import type { Static } from 'typebox'
import { pathToFileURL } from 'node:url'
import { bytes, OneOf, Size } from '../options/schema.ts'
import { Type } from '../options/type.ts'

const MODES = ['off', 'log', 'enforce'] as const
export type ValidationMode = (typeof MODES)[number]

/** `validate` of a route. */
export const validateSchema = Type.Object(
  {
    document: Type.Optional(
      Type.String({ description: "File of the OpenAPI document; without it, the upstream's own (`openapi`)" }),
    ),
    requests: OneOf(MODES, {
      default: 'enforce',
      description: 'Requests that are not as the document says: not looked at, counted and logged, or refused with 400',
    }),
    responses: OneOf(MODES, {
      default: 'log',
      description: 'Answers that are not: not looked at, counted and logged, or replaced by a 502, and never stored',
    }),
    bodySize: Size({
      default: '1MiB',
      description: 'Largest body that is validated, held in memory meanwhile; a larger one is refused where enforced',
    }),
    undocumented: OneOf(['refuse', 'pass'], {
      default: 'refuse',
      description: 'Requests for which the document has no operation, where requests are enforced',
    }),
  },
  {
    additionalProperties: false,
    examples: [{ responses: 'enforce' }],
    description: "Validate against the upstream's OpenAPI document",
  },
)

export type ValidateInput = Static<typeof validateSchema>

export interface ValidateOptions {
  /** A `file:` URL; `null`: the upstream's. */
  document: string | null
  requests: ValidationMode
  responses: ValidationMode
  bodyBytes: number
  undocumented: 'refuse' | 'pass'
}

const DEFAULTS: ValidateInput = {
  requests: 'enforce',
  responses: 'log',
  bodySize: '1MiB',
  undocumented: 'refuse',
}

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveValidate(
  input: ValidateInput | boolean,
  toPath: (path: string) => string,
): ValidateOptions | null {
  if (input === false) return null
  const { document, requests, responses, bodySize, undocumented } = input === true ? DEFAULTS : input
  return {
    document: document === undefined ? null : pathToFileURL(toPath(document)).href,
    requests,
    responses,
    bodyBytes: bytes(bodySize),
    undocumented,
  }
}
