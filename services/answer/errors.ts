import createError from '@fastify/error'

/** The file of a route's `answer` cannot be read, or is larger than 8 MiB. */
export const AnswerFileError = createError('HR_ROUTE_ANSWER_FILE', "The answer of '%s' cannot be had: %s.", 500)
