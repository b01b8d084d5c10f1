import { ReservedFields } from './reserved-fields.ts'

/**
 * By which some frameworks take a request for one of another method. Where a route says who may do what by methods, what is
 * done has to be what was asked for.
 */
export const METHOD_OVERRIDES = new ReservedFields(['x-http-method', 'x-http-method-override', 'x-method-override'])
