import createError from '@fastify/error'

/** A request has a method that its route does not take (`request.methods`); Allow has those that it does. */
export const RequestMethodError = createError('HR_REQUEST_METHOD', 'This route takes %s.', 405)

/** A request body has no Content-Type, or one that its route does not take (`request.contentTypes`); Accept has those that it does. */
export const ContentTypeError = createError('HR_REQUEST_CONTENT_TYPE', 'This route takes bodies of the type %s.', 415)

/** A request has more fields than its route takes (`request.headers.count`). */
export const FieldCountError = createError('HR_REQUEST_FIELD_COUNT', 'The request has more than %s fields.', 431)

/** The fields of a request are together larger than its route takes (`request.headers.size`). */
export const FieldSizeError = createError(
  'HR_REQUEST_FIELD_SIZE',
  'The fields of the request are together larger than %s bytes.',
  431,
)

/** A request lacks a field that its route asks for (`request.headers.required`). */
export const FieldMissingError = createError('HR_REQUEST_FIELD_MISSING', "The request has no field '%s'. Send it.", 400)

/** The query is longer than the route takes (`request.query.length`). */
export const QueryLengthError = createError('HR_REQUEST_QUERY_LENGTH', 'The query is longer than %s characters.', 414)

/** The query has more parameters than the route takes (`request.query.parameters`). */
export const QueryCountError = createError('HR_REQUEST_QUERY_COUNT', 'The query has more than %s parameters.', 400)

/** A parameter of the query stands more than once (`request.query.duplicates`). */
export const QueryDuplicateError = createError(
  'HR_REQUEST_QUERY_DUPLICATE',
  'A parameter stands more than once in the query. Send each once.',
  400,
)
