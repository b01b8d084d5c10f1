import type { GatewayError } from '../http/problem.ts'

/** That a hook has thrown, run out of time, or given back what cannot be sent: the fault of who wrote it. */
export interface HookFailure {
  side: 'request' | 'response'
  /** The route's key. */
  route: string
  /** As clients are told it, `hooks.ts#addLinks`. */
  hook: string
  requestId: string
  /** HR_TRANSFORM_HOOK, with what was thrown as its cause, or HR_TRANSFORM_HOOK_TIMEOUT. */
  error: GatewayError
}

/** A line of the log, with the stack. */
export function logHookFailure(
  log: { error(fields: object, message: string): void },
  { error, ...told }: HookFailure,
): void {
  log.error({ ...told, err: error }, 'A hook failed')
}
