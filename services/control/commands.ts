import type { Revocation } from '../access/revoked/revoked.ts'
import type { PurgeMode } from '../cache/purge-mode.ts'
import type { WarmTarget } from '../cache/warm-target.ts'
import type { Selector } from '../cache/store/selector.ts'
import type { ReloadOutcome, ReloadTrigger } from '../configuration/report.ts'
import type { LogOptions } from '../log/options.ts'
import type { KnownSpecification } from '../openapi/known-specifications.ts'
import type { TargetChange } from '../upstream/membership.ts'
import type { SharedEjection } from '../upstream/upstream.ts'

export type LogLevel = LogOptions['level']

/** Every command and its cloneable arguments. A command may be sent twice: each sets a state, none adds to one. */
export interface ControlCommands {
  /** The least severity that is written, until the next start. */
  'log-level': { level: LogLevel }
  /** Where the control plane listens, for the link in the public documents. */
  'admin-address': { url: string }
  /** Drops what is cached, or leaves it to be validated before its next use. Its URLs are canonical. */
  'cache-purge': { selector: Selector; mode: PurgeMode }
  /** What mutations in one process have made invalid: dropped from the memory of the others. */
  'cache-invalidate': { from: number; selectors: Selector[] }
  /** Begins to ask for these URLs, where no list is being asked for; `null`: those of the configuration. */
  'cache-warm': { targets: WarmTarget[] | null }
  /** Ends the round that is running. */
  'cache-warm-cancel': undefined
  /** What there is to one target of an upstream from now on. */
  'upstream-target': { upstream: string; change: TargetChange }
  /** A process leaves a target alone that fails more than others: so do the others. */
  'target-ejected': SharedEjection & { from: number }
  /** A route, by its key, is in maintenance from now on, or is not; `null`: all are. */
  maintenance: { route: string | null; enabled: boolean }
  /** Reads the consumers' file again; what cannot be used leaves what was read before in force. */
  'consumers-reload': undefined
  /** Keys, tokens and sessions that hold no longer; `from` is the process that told of it, `null`: an operator has. */
  revoke: { from: number | null; list: Revocation[] }
  /**
   * Reads the keys of all issuers now, and forgets what was judged of tokens, sessions and by services that are asked. Other
   * machines are told by the same id.
   */
  'tokens-refresh': { id: string }
  /** Keys of an issuer, as one process has read them. */
  'token-keys': { from: number; issuer: string; text: string }
  /** What the refresh of a browser's session, by the digest of its token, has come to in one process; sealed as its cookie is. */
  'session-renewed': { from: number; digest: string; renewed: string | null }
  /** What an upstream says of itself, as one process has read it: those that start begin with it. */
  'openapi-document': KnownSpecification
  /** Reads the files of the certificates again; what cannot be used leaves the old ones in place. */
  certificates: undefined
  /** Puts the configuration into force as it is now in its file. `force`: also where nothing has changed. */
  'config-reload': { trigger: ReloadTrigger; force: boolean }
  /** Replaces the processes, one after another; answered when that has begun. */
  restart: undefined
}
export type CommandName = keyof ControlCommands

/** What a purge has come to in a process. */
export interface CachePurged {
  /** Stored responses that it covered. */
  covered: number
  /** The second tier is away, and gets it before it is read again; other machines hear of it then. */
  waiting: boolean
}

/** What a process says once it has applied a command, for those that say anything. */
export interface CommandResults {
  'cache-purge': CachePurged
  'config-reload': ReloadOutcome
}
export type ResultOf<C extends CommandName> = C extends keyof CommandResults ? CommandResults[C] : void

export interface CommandRule<Args> {
  /**
   * What it sets, where a process that joins later is to be told too, so that all stay alike: it gets the last of those
   * that set the same.
   */
  lasting: false | ((args: Args) => string)
  /** Where the last does not replace those before it: what such a process is told of both. */
  gather?: (before: Args, last: Args) => Args
  /** For whoever holds the configuration (the supervisor, where there is one), and for nobody else. */
  central?: boolean
}

/** More are not revoked while a process starts. */
const MOST_REVOKED = 10_000

export const COMMANDS: { [C in CommandName]: CommandRule<ControlCommands[C]> } = {
  'log-level': { lasting: () => '' },
  'admin-address': { lasting: () => '' },
  'upstream-target': { lasting: ({ upstream, change }) => `${upstream} ${change.url}` },
  // A process that joins later finds it out by itself, if it is still so.
  'target-ejected': { lasting: false },
  maintenance: { lasting: ({ route }) => route ?? '' },
  // A process that joins later has read it just now.
  'consumers-reload': { lasting: false },
  // Kept in the data directory besides: what a process that starts has read there may lack the last ones.
  revoke: {
    lasting: ({ from }) => (from === null ? 'by operators' : 'by processes'),
    gather: (before, { from, list }) => ({ from, list: [...before.list, ...list].slice(-MOST_REVOKED) }),
  },
  // A process that joins later reads them itself.
  'tokens-refresh': { lasting: false },
  'token-keys': { lasting: false },
  // A process that joins later refreshes for itself.
  'session-renewed': { lasting: false },
  // A process that joins later has nothing in its memory.
  'cache-purge': { lasting: false },
  'cache-invalidate': { lasting: false },
  // A process that joins later warms the list of the configuration by itself.
  'cache-warm': { lasting: false },
  'cache-warm-cancel': { lasting: false },
  // A process that joins later asks for it as it starts.
  'openapi-document': { lasting: false, central: true },
  // A process that joins later has read them just now.
  certificates: { lasting: false },
  'config-reload': { lasting: false, central: true },
  restart: { lasting: false, central: true },
}

/** How long whoever holds the configuration may take: it starts processes, and waits until they are ready. */
export const CENTRAL_DEADLINE_MS = 180_000
