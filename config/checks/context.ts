import type { Path, Report } from '../problem.ts'
import type { Settings } from '../schema.ts'

/** What a check judges: whatever of the configuration has the right shape. */
export interface CheckContext {
  /** Without the entries that were complained of. */
  settings: Settings
  /** Every name as written, of faulty entries too. */
  names: { upstreams: string[]; routes: string[] }
  report: Report
  /** An absolute path, from the folder of the configuration. */
  toPath: (path: string) => string
}

/** Complains of one thing; each check has its own code, and the place that its paths start from. */
export type Say = (path: Path, message: string, suggestion?: string) => void
