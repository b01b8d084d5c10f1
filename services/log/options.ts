import type { Static } from 'typebox'
import { OneOf } from '../options/schema.ts'
import { Type } from '../options/type.ts'

/** Logging: pino's JSON lines on stdout, or coloured text on a terminal. */
export const logSchema = Type.Object(
  {
    level: OneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      default: 'info',
      description: "Least severity written; 'silent' switches logging off (LOG_LEVEL)",
    }),
    format: OneOf(['auto', 'json', 'pretty'], {
      default: 'auto',
      description: 'auto: pretty on a terminal, JSON elsewhere',
    }),
    requests: Type.Boolean({ default: true, description: 'Write a line for each request' }),
    sample: Type.Number({
      default: 1,
      minimum: 0,
      maximum: 1,
      description: 'Share of requests below 400 that are written; the rest always are',
    }),
    redact: Type.Array(Type.String(), {
      default: [],
      description: 'Further query parameters whose values are not written; credentials never are',
    }),
  },
  { additionalProperties: false, default: {}, examples: [{ level: 'warn' }], description: 'Logging' },
)

export type LogInput = Static<typeof logSchema>
export type LogOptions = LogInput
