/** What is under way in a process, counted by whoever begins and ends it; one for all generations of a gateway. */
export interface Load {
  /** Exchanges that have begun and are not over: streams and WebSocket connections as well. */
  inFlight: number
}
