import { type GatewayError, withFields } from '../http/problem.ts'
import {
  BreakerOpenError,
  ConcurrencyError,
  ConnectError,
  ConnectTimeoutError,
  FirstByteTimeoutError,
  IdleTimeoutError,
  InvalidResponseError,
  NoTargetError,
  NotHttp2Error,
  QueueFullError,
  ResetError,
  ResourcesError,
  TotalTimeoutError,
  TruncatedError,
  UnsendableError,
} from '../upstream/errors.ts'
import type { Outcome } from '../upstream/snapshot.ts'

/** The answer to a client for an attempt that failed before the response head was sent on. */
export function failureOf(outcome: Outcome, upstream: string, cause: Error | undefined): GatewayError {
  const options = { cause }
  switch (outcome) {
    case 'connect_error':
      return new ConnectError(upstream, options)
    case 'connect_timeout':
      return new ConnectTimeoutError(upstream, options)
    case 'out_of_resources':
      return withFields(new ResourcesError(upstream, options), ['retry-after', '2'])
    case 'first_byte_timeout':
      return new FirstByteTimeoutError(upstream, options)
    case 'total_timeout':
      return new TotalTimeoutError(upstream, options)
    case 'idle_timeout':
      return new IdleTimeoutError(upstream, options)
    case 'invalid_response':
      return cause instanceof NotHttp2Error ? cause : new InvalidResponseError(upstream, options)
    case 'truncated':
      return new TruncatedError(upstream, options)
    case 'queue_full':
      return withFields(new QueueFullError(upstream), ['retry-after', '2'])
    default:
      return new ResetError(upstream, options)
  }
}

/** The answer where the upstream has as many requests as it takes. */
export function noTurn(upstream: string): GatewayError {
  return withFields(new ConcurrencyError(upstream), ['retry-after', '1'])
}

/** The answer where there is nobody to ask: breakers are open, or there is no target. */
export function noTarget({ name, barredForMs }: { name: string; barredForMs: number | null }): GatewayError {
  const error = barredForMs === null ? new NoTargetError(name) : new BreakerOpenError(name)
  return withFields(error, ['retry-after', String(Math.max(1, Math.ceil((barredForMs ?? 2_000) / 1000)))])
}

/** `true` for what undici refuses to write, which is the request's fault: 400. */
export function isUnsendable(error: Error & { code?: string }): boolean {
  return error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED'
}

export function unsendable(cause: Error): GatewayError {
  return new UnsendableError(cause.message, { cause })
}
