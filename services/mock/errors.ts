import createError from '@fastify/error'

/** The document that a mocked route answers from cannot be had, or is none; the answer carries `Retry-After`. */
export const MockDocumentError = createError(
  'HR_MOCK_DOCUMENT',
  "This route answers from the document '%s', which %s.",
  503,
)

/** The document has no operation for the request. */
export const MockOperationError = createError('HR_MOCK_OPERATION', 'The document has no operation %s; %s.', 404)

/** The operation has no response of the status that is wanted. */
export const MockResponseError = createError(
  'HR_MOCK_RESPONSE',
  '%s has no response %s; there is %s. Add it under responses, or prefer another: Prefer: code=200.',
  501,
)

/** The response has nothing in a media type that the client takes. */
export const MockMediaTypeError = createError(
  'HR_MOCK_MEDIA_TYPE',
  '%s has no content that Accept takes; there is %s.',
  406,
)

/** The response has no example, and its schema says too little to make a value of. */
export const MockExampleError = createError('HR_MOCK_EXAMPLE', '%s: %s.', 501)

/** A route is mocked whose upstream has no document. */
export const MockSourceError = createError(
  'HR_MOCK_SOURCE',
  "The route '%s' is mocked, and there is no document: give its upstream an openapi, or the route mock: './openapi.json'.",
  500,
)
