import createError from '@fastify/error'

/** The command line was not understood. */
export const UsageError = createError('HR_CLI_USAGE', '%s', 500)

/** `--save` finds a configuration in the folder, which it never overwrites, or cannot write there. */
export const SaveError = createError('HR_CLI_SAVE', '%s', 500)

/** Nothing says where a gateway runs, or its control plane is switched off. */
export const GatewayUnknownError = createError('HR_CLI_GATEWAY_UNKNOWN', '%s', 500)

/** There is no admin token to send, or none that a header can carry. */
export const TokenUnknownError = createError('HR_CLI_TOKEN_UNKNOWN', '%s', 500)

/** The control plane did not answer: refused, unresolved, broken off, not trusted, or late. */
export const UnreachableError = createError('HR_CLI_UNREACHABLE', '%s', 500)

/** The control plane does not take the token. */
export const TokenRefusedError = createError('HR_CLI_TOKEN_REFUSED', '%s', 500)

/** What answered is no control plane of Headrace, or it could not do what it was asked. */
export const AnswerError = createError('HR_CLI_ANSWER', '%s', 500)
