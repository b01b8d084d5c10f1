import type { Proof } from './proof.ts'
import { deadUpstream } from './scenarios/dead-upstream.ts'
import { floods } from './scenarios/floods.ts'
import { heldConnections } from './scenarios/held-connections.ts'
import { overload } from './scenarios/overload.ts'
import { rapidResets } from './scenarios/rapid-resets.ts'
import { reloads, reloadsInPlace, restarts } from './scenarios/reloads.ts'
import { slowHeads } from './scenarios/slow-heads.ts'
import { twoProcesses } from './scenarios/two-processes.ts'

/** Every proof, in the order in which they are run. */
export const PROOFS: readonly Proof[] = [
  reloadsInPlace,
  reloads,
  restarts,
  deadUpstream,
  heldConnections,
  rapidResets,
  slowHeads,
  floods,
  overload,
  twoProcesses,
]
