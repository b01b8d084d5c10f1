import type { Peer } from '../peers/catalogue.ts'

/** One request, sent again and again, and the only answer to it that counts. */
export interface Request {
  /** What a table calls its latencies, where a scenario mixes several. */
  name: string
  method: 'GET' | 'HEAD' | 'POST'
  path: string
  /** Each time with another number at the end of the path, so that nothing is asked for twice. */
  unique?: true
  fields: Readonly<Record<string, string>>
  body: string | null
  answer: { status: number; bodyBytes: number }
  /** Whether a contender has to ask the origin for it. */
  reachesOrigin: boolean
}

/** Who sends the requests: bench/load/ says why there are three. */
export type Client = 'autocannon' | 'http1' | 'http2'

/** What a contender gets to do. */
export interface Traffic {
  client: Client
  connections: number
  /** Requests under way at once on each connection. */
  streams: number
  /** Each gets the same number of requests; else the one that is answered sooner gets more. Of `http1` and `http2`. */
  even?: true
  /** Taken in turn. */
  requests: readonly Request[]
}

/** A row of a scenario's table: a contender, and what it has to do. */
export interface Entrant {
  /** Unique in its scenario: `--only` and targets mean it by this. */
  name: string
  /** What the name leaves open. */
  detail: string
  peer: Peer
  traffic: Traffic
}

/** Requests per CPU-second of one entrant over another's in the same round: the median is to be at least this. */
export interface Target {
  entrant: string
  over: string
  atLeast: number
}

/** What is compared side by side. */
export interface Scenario {
  name: string
  title: string
  entrants: readonly Entrant[]
  /** The table's ratios are over this entrant. */
  reference: string
  targets: readonly Target[]
  /** Also part of `--quick`. */
  quick: boolean
}

/** Whether a scenario is about the cache: some of its requests never reach the origin. */
export function isCached({ entrants }: Scenario): boolean {
  return entrants.some(({ traffic }) => traffic.requests.some(({ reachesOrigin }) => !reachesOrigin))
}
