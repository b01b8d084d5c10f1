import createError from '@fastify/error'
import type { GatewayError } from '../http/problem.ts'

/** Nobody has shown who they are, where the route wants to know; WWW-Authenticate names the ways (RFC 9110 §15.5.2). */
export const CredentialsMissingError = createError(
  'HR_ACCESS_REQUIRED',
  'This route is for callers who show who they are. Send credentials of a kind that WWW-Authenticate names.',
  401,
)

/** Credentials that do not hold: unknown, wrong, expired or revoked. It never says which of these. */
export const CredentialsInvalidError = createError(
  'HR_ACCESS_INVALID',
  'These credentials are not accepted. Check that they are whole, meant for this service, and still in force.',
  401,
)

/** Credentials from one address have failed too often; `Retry-After` says when more are looked at. Argument: in how many seconds. */
export const TooManyFailuresError = createError<[string]>(
  'HR_ACCESS_FAILURES',
  'Credentials from this address have failed too often. Try again in %s s, with some that hold.',
  429,
)

/** Credentials of one kind stand in the request more than once, so that two readers could take another of them. */
export const CredentialsAmbiguousError = createError(
  'HR_ACCESS_AMBIGUOUS',
  'The request carries credentials of one kind more than once. Send them once.',
  400,
)

/** A key in the URL, where it ends up in logs, histories and Referer. */
export const KeyInQueryError = createError(
  'HR_ACCESS_KEY_IN_QUERY',
  "A key must not stand in the URL, where logs and histories keep it: send it in the field '%s', and have this key replaced.",
  400,
)

/** Known, and not entitled. */
export const ForbiddenError = createError(
  'HR_ACCESS_FORBIDDEN',
  'The caller is known and may not do this. Ask whoever runs this service for the scope, group or permission.',
  403,
)

/** The route's `access.addresses` leaves this client out. */
export const AddressRefusedError = createError(
  'HR_ACCESS_ADDRESS',
  'Requests from this address are not accepted here. Call from an address that whoever runs this service has allowed.',
  403,
)

/** The consumers' file cannot be read, or what is in it cannot be used. */
export const ConsumersFileError = createError(
  'HR_ACCESS_CONSUMERS_FILE',
  'The consumers of %s cannot be used: %s. Mend the file; what was read before stays in force.',
  500,
)

/** Another program writes to the consumers' file. Arguments: the file, the one that it is written to first. */
export const ConsumersBusyError = createError<[string, string]>(
  'HR_ACCESS_CONSUMERS_BUSY',
  'Another program writes to %s. Try again; where none does, one was broken off: take away %s.',
  500,
)

/** An entry of `access.addresses` is neither address, block nor known word. */
export const AddressBlockError = createError(
  'HR_ACCESS_ADDRESS_BLOCK',
  "access.addresses has '%s': write an address, a CIDR block such as 10.0.0.0/8, 'loopback' or 'private'",
  500,
)

/** Two consumers claim the same key, certificate or name. */
export const ConsumerConflictError = createError(
  'HR_ACCESS_CONSUMER_CONFLICT',
  "The consumers '%s' and '%s' both have the %s: nobody could tell them apart. Give each their own.",
  500,
)

/** The `access` plugin, alone in an application, is given what it does not take. */
export const AccessOptionError = createError(
  'HR_ACCESS_OPTION',
  '%s: docs/embedding.md says what access takes in an application of yours.',
  500,
)

/** A route asks for a way that `access` does not set up. */
export const UnknownWayError = createError(
  'HR_ACCESS_WAY',
  "access.by has '%s', which is not set up; there is %s.",
  500,
)

/** Too many credentials wait to be checked; the answer carries `Retry-After`. */
export const AccessBusyError = createError(
  'HR_ACCESS_BUSY',
  'Too many callers show credentials at once. Try again after the time that Retry-After names.',
  503,
)

export function busy(): GatewayError {
  const error: GatewayError = new AccessBusyError()
  error.fields = ['retry-after', '1']
  return error
}

/** A signature that was accepted already. */
export const ReplayedError = createError(
  'HR_ACCESS_REPLAYED',
  'This signed request was accepted before. Sign each request anew, with a nonce of its own.',
  401,
)
