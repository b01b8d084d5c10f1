import createError from '@fastify/error'

/** The `compression` plugin is given what it does not take. */
export const CompressionOptionError = createError(
  'HR_COMPRESSION_OPTION',
  '%s: docs/configuration.md says what compression takes.',
  500,
)
