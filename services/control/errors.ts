import createError from '@fastify/error'

/** No process answered a query in time. Arguments: the query, and what is known of each process. */
export const NoAnswerError = createError<[string, string]>(
  'HR_CONTROL_NO_ANSWER',
  'No process answered "%s" in time (%s). Ask again; if it stays so, look at the log of the processes.',
  503,
)

/** A command was applied by some processes only. Arguments: the command, and who did not apply it. */
export const PartlyAppliedError = createError<[string, string]>(
  'HR_CONTROL_PARTLY_APPLIED',
  '"%s" was not applied by every process (%s). It is safe to send it again.',
  503,
)

/** A process was asked for what it has no handler for. */
export const UnsupportedError = createError<[string]>(
  'HR_CONTROL_UNSUPPORTED',
  'This process does not answer "%s": the part that would is switched off in its configuration.',
  404,
)

/** What failed in another process, in its words. Code and status become those of the other process's error. */
export const RemoteError = createError<[string]>('HR_CONTROL_REMOTE', '%s', 500)

/** The other side did not reply in time. */
export const DeadlineError = createError<[string, number]>('HR_CONTROL_DEADLINE', 'No reply to "%s" within %d ms.', 503)

/** The other side is gone. */
export const DisconnectedError = createError<[string]>(
  'HR_CONTROL_DISCONNECTED',
  'The process that was asked "%s" is gone.',
  503,
)

/** More calls are under way than one channel keeps. */
export const BusyError = createError<[string]>(
  'HR_CONTROL_BUSY',
  'Too many control calls are under way to take "%s". Ask again in a second.',
  503,
)

/** A process ended before it was ready for the first time, and did not say why. Arguments: its number, how it ended. */
export const BootError = createError<[number, string]>(
  'HR_CONTROL_BOOT',
  'Process %d ended before it was ready (%s); the reason is on its standard error.',
  500,
)

/** Processes that were to take the place of others were not ready in time. Argument: milliseconds. */
export const StartTimeoutError = createError<[number]>(
  'HR_CONTROL_START_TIMEOUT',
  'The new processes were not ready within %d ms; those that ran before go on. Look at the log for what they wait for.',
  503,
)

/** Processes are being replaced already. */
export const BusyProcessesError = createError<[]>(
  'HR_CONTROL_REPLACING',
  'Processes are being replaced already. Try again when that is done.',
  409,
)

/** `close()` came before every process was ready, or while others were to take their place. */
export const ClosedError = createError<[]>('HR_CONTROL_CLOSED', 'The gateway was told to stop.', 503)

/** A file of the data directory cannot be read or written. Arguments: the file, the reason. */
export const DataDirError = createError<[string, string]>(
  'HR_CONTROL_DATA_DIR',
  'Cannot use %s (%s). Make it readable and writable, or set dataDir to another directory.',
  500,
)

/** No bearer token, or not the right one. */
export const UnauthorizedError = createError(
  'HR_ADMIN_UNAUTHORIZED',
  'This route belongs to the control plane: send "Authorization: Bearer <token>" with the admin token, the configured one or that in the file admin-token of dataDir.',
  401,
)

/** The token is known, and not for what is asked. Argument: the scope that it lacks. */
export const AdminScopeError = createError<[string]>(
  'HR_ADMIN_SCOPE',
  "This token is not for that: it lacks the scope '%s'. Use another, or add the scope to it in admin.tokens.",
  403,
)
