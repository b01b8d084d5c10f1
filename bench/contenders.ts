/** The contenders' processes: each runs from the first scenario that needs it to the last. */
import type { Runner } from './measure.ts'
import type { Peer } from './peers/catalogue.ts'
import type { Announcement } from './peers/peer.ts'
import type { Child, Processes } from './processes.ts'
import type { Entrant, Scenario } from './scenarios/scenario.ts'

const peersOf = ({ entrants }: Scenario): Peer[] => entrants.map(({ peer }) => peer)

export class Contenders {
  readonly #running = new Map<string, Child>()
  readonly #processes: Processes
  readonly #args: readonly string[]
  readonly #core: number | null
  readonly #note: (text: string) => void

  /**
   * @param args what every peer is told
   * @param note told which peers cannot take part, and why
   */
  constructor(
    { processes, args, core }: { processes: Processes; args: readonly string[]; core: number | null },
    note: (text: string) => void,
  ) {
    this.#processes = processes
    this.#args = args
    this.#core = core
    this.#note = note
  }

  /** Starts what a scenario needs and is not running. @returns the entrants that can be measured here */
  async start(scenario: Scenario): Promise<Runner[]> {
    for (const { name, script, args } of peersOf(scenario)) {
      if (this.#running.has(name)) continue
      const child = await this.#processes.start(name, `peers/${script}`, [...this.#args, ...args], this.#core)
      this.#running.set(name, child)
      const { announcement } = child
      if ('unavailable' in announcement) this.#note(`${name} is left out: ${announcement.unavailable}`)
    }
    return scenario.entrants.flatMap((entrant) => {
      const { announcement } = this.#running.get(entrant.peer.name)!
      return runnerOf(entrant, announcement)
    })
  }

  /** Ends what none of these scenarios needs. */
  async keepFor(scenarios: readonly Scenario[]): Promise<void> {
    const needed = new Set(scenarios.flatMap(peersOf).map(({ name }) => name))
    for (const [name, child] of this.#running) {
      if (needed.has(name)) continue
      this.#running.delete(name)
      await child.stop()
    }
  }
}

function runnerOf(entrant: Entrant, announcement: Announcement): Runner[] {
  if ('unavailable' in announcement) return []
  const url = entrant.traffic.client === 'http2' ? announcement.secureUrl : announcement.url
  if (url === null) throw new Error(`${entrant.peer.name} does not serve what ${entrant.name} asks for`)
  return [{ entrant, url, pids: announcement.pids }]
}
