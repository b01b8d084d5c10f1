import type { ValuePurge } from './values/purge.ts'

/** Called by a source for each change that it learns of. Never throws: what cannot be understood is logged and left. */
export type OnPurge = (purge: ValuePurge) => void

/** Stops a source: nothing is told afterwards. */
export type StopSource = () => void | Promise<void>

/**
 * Something that knows when data has changed, such as a channel of Postgres on which triggers NOTIFY tags:
 *
 *     const vehicles: PurgeSource = {
 *       name: 'postgres vehicles',
 *       async start(onPurge) {
 *         client.on('notification', ({ payload }) => onPurge({ tag: payload }))
 *         await client.query('listen vehicles')
 *         return () => client.query('unlisten vehicles')
 *       },
 *     }
 *
 * A source looks after its own connection. Whenever it may have missed something (it was disconnected, say), it tells
 * `{ all: true }`, or the tags that it is about: what was not heard of cannot be made up for in any other way.
 */
export interface PurgeSource {
  /** For the log. */
  readonly name: string
  /** Resolves once changes are heard of; rejects where that cannot be had, which ends the start of the application. */
  start(onPurge: OnPurge): StopSource | Promise<StopSource>
}
