import { CASES } from './cases/index.ts'
import type { Case } from './case.ts'
import { Client } from './client.ts'
import type { Clock } from './clock.ts'
import { Script, type ScriptedOrigin } from './origin.ts'
import { SharedPause } from './pause.ts'
import { runCase } from './run-case.ts'

/** Why each case failed, by its id; `null` where it did not. */
export type Results = ReadonlyMap<string, string | null>

/** How long a step waits, in milliseconds. */
const PAUSE_MS = 3000

export interface SuiteOptions {
  origin: ScriptedOrigin
  /** The cache: `http://127.0.0.1:8080`. */
  cache: URL
  clock: Clock
  /** The cases to run; default: all. */
  cases?: readonly Case[]
  /** Above all paths: what two runs at the same time have different. */
  prefix: string
}

/** Runs the cases against a cache, all at the same time. */
export async function runSuite({ origin, cache, clock, cases = CASES, prefix }: SuiteOptions): Promise<Results> {
  const client = new Client(cache)
  const pause = new SharedPause(cases.length, () => clock.pass(PAUSE_MS))
  const run = async (subject: Case): Promise<[string, string | null]> => {
    const script = new Script(`${prefix}/${subject.id.replaceAll('/', '-')}`, subject, () => pause.wait())
    origin.add(script)
    try {
      return [subject.id, await runCase(subject, script, client, () => pause.wait())]
    } finally {
      pause.leave()
    }
  }
  try {
    return new Map(await Promise.all(cases.map(run)))
  } finally {
    client.close()
  }
}
