import createError from '@fastify/error'

/** The configuration was to be put into force, or compared, and has faults; `problems` holds them. */
export const InvalidConfigError = createError<[string, string]>(
  'HR_RELOAD_INVALID',
  'The configuration has %s; what runs goes on as it is. The first: %s',
  422,
)

/** Something has changed that cannot be had while the gateway runs. Argument: the properties. */
export const RestartNeededError = createError<[string]>(
  'HR_RELOAD_RESTART_NEEDED',
  'Restart needed for %s; what runs goes on as it is. End the gateway and start it again, or take that change back.',
  409,
)

/** A reload or a rolling restart is under way. */
export const ReloadBusyError = createError<[]>(
  'HR_RELOAD_BUSY',
  'The configuration is being reloaded, or processes restarted, at this moment. Try again when that is done.',
  409,
)

/** The gateway drains, and takes no other configuration before its end. */
export const EndingError = createError<[]>(
  'HR_RELOAD_ENDING',
  'The gateway is ending: it takes no configuration any more, and starts no process. Start it again.',
  503,
)

/** One process cannot take its own place. */
export const SingleProcessError = createError<[]>(
  'HR_RESTART_SINGLE_PROCESS',
  'With a single process there is none to serve meanwhile: end the gateway and start it again, or run it with processes: 2.',
  409,
)

/** The new configuration could not be put into force, for a fault of the gateway's own. */
export const ReloadFailedError = createError<[]>(
  'HR_RELOAD_FAILED',
  'The configuration could not be put into force; what runs goes on as it is. The log says more.',
  500,
)
