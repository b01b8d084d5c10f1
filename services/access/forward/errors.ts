import createError from '@fastify/error'

/** The service that decides about callers has not decided: it is away, slow, or answers with neither yes nor no. Argument: its name. */
export const ForwardAwayError = createError<[string]>(
  'HR_ACCESS_FORWARD_AWAY',
  "The service '%s', which says who may call, does not say it now. Try again in some seconds.",
  503,
)
