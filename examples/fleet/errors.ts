import createError from '@fastify/error'

/** The row asked for does not exist (any more). */
export const RowNotFound = createError('FLEET_ROW_NOT_FOUND', 'There is no %s with the id %s', 404)

/** `after` was not taken from a `Link: rel="next"` of the same list. */
export const InvalidCursor = createError(
  'FLEET_CURSOR_INVALID',
  'The cursor "%s" does not belong to this list: follow the Link field, or start again without "after"',
  400,
)

/** A written row points to a row that does not exist. */
export const UnknownReference = createError('FLEET_REFERENCE_UNKNOWN', 'There is no row %s in %s: %s', 422)

/** RFC 9110 §13.1.1: the representation is no longer the one that the client has seen. */
export const PreconditionFailed = createError(
  'FLEET_PRECONDITION_FAILED',
  'The resource has changed since: fetch it again and repeat the request with its new ETag',
  412,
)

/** Everything lives in memory, so every table is bounded. */
export const TableFull = createError(
  'FLEET_TABLE_FULL',
  'The table %s holds its most of %s rows: delete some first',
  507,
)

/** What `/chaos/:status` answers. */
export const ChaosRequested = createError('FLEET_CHAOS', 'This answer was asked for')

/** A port that `npm start` wants is another process's. */
export const PortTaken = createError(
  'FLEET_PORT_TAKEN',
  'Port %s is taken by another process. Stop it, or choose another port: %s',
)

/** What `headrace check` would say. */
export const ConfigurationInvalid = createError('FLEET_CONFIGURATION', '%s', 500)
