/** What a balancer has to know of a target. */
export interface Candidate {
  /** The same in every process, and after a restart. */
  readonly hash: number
  /** Its share of the requests, in relation to the others'; more than 0. */
  readonly weight: number
  /** Requests it has now, and connections that have switched to another protocol. */
  readonly inFlight: number
  /** Whose turn it is: the account of {@link roundRobin}, which alone writes it. */
  credit: number
}

/** The part of a request that may say where it goes. */
export interface BalancedRequest {
  /** `kept`: name, value, name, value. */
  readonly fields: { readonly kept: readonly string[]; readonly cookie: string | undefined }
  readonly path: string
  readonly clientAddress: string
  /** Who calls; `undefined` where they have not shown it. */
  readonly identity: { readonly id: string } | undefined
}

/** Those who may be chosen, until one comes, goes or changes its weight; then a new roster is made. */
export class Roster<T extends Candidate> {
  readonly targets: readonly T[]
  readonly weight: number
  /** All have the same weight. */
  readonly even: boolean

  constructor(targets: readonly T[]) {
    this.targets = targets
    this.weight = targets.reduce((total, { weight }) => total + weight, 0)
    this.even = targets.every(({ weight }) => weight === targets[0]?.weight)
  }
}

/**
 * Chooses one of a roster, which is never empty.
 *
 * @param request `undefined` for requests of the gateway itself
 */
export type Balancer = <T extends Candidate>(roster: Roster<T>, request: BalancedRequest | undefined) => T
