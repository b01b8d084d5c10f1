import type { Report } from '../problem.ts'
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
