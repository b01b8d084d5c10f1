import createError from '@fastify/error'

/** What was revoked cannot be kept in the data directory, or read from it. Arguments: the file, the reason. */
export const JournalError = createError<[string, string]>(
  'HR_ACCESS_JOURNAL',
  'What is revoked cannot be kept in %s: %s. Correct dataDir, or the rights on the file; until then it holds in running processes alone.',
  500,
)
