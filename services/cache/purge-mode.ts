/** `hard` drops what is stored; `soft` leaves it to be validated or made anew before its next use, or to be served stale. */
export type PurgeMode = 'hard' | 'soft'
