import type { Outcome } from './snapshot.ts'

/** How far an attempt had come when it failed. */
export type Phase = 'waiting' | 'sent' | 'receiving'

const GARBAGE = /^(HPE_|UND_ERR_(HEADERS_OVERFLOW|RES_|RESPONSE|H2|HTTP_PARSER))/

/** What an error of undici means, by how far the attempt had come. */
export function outcomeOf(error: Error & { code?: string }, phase: Phase): Outcome {
  const code = error.code ?? ''
  if (phase === 'waiting')
    return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_error'
  if (phase === 'receiving') return 'truncated'
  // undici reports what it cannot take (an unsolicited 100, an upgrade nobody asked for) as 'bad response', 'bad upgrade'.
  // Some of what its parser refuses comes without a code.
  if (GARBAGE.test(code) || error.name === 'HTTPParserError' || error.message.startsWith('bad '))
    return 'invalid_response'
  return 'reset'
}
