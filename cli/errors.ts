import createError from '@fastify/error'

/** The command line was not understood. */
export const UsageError = createError('HR_CLI_USAGE', '%s', 500)

/** `--save` finds a configuration in the folder: it never overwrites one. */
export const SaveError = createError('HR_CLI_SAVE', '%s', 500)
