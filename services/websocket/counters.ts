/** How a connection came to its end. */
export type Ending = 'client' | 'upstream' | 'idle' | 'drain' | 'protocol' | 'too_large' | 'cut'

/** What WebSocket connections count: plain integers, read at scrape. All but `open` only grow. */
export class WebSocketCounters {
  open = 0
  opened = 0
  readonly ended: Record<Ending, number> = {
    client: 0,
    upstream: 0,
    idle: 0,
    drain: 0,
    protocol: 0,
    too_large: 0,
    cut: 0,
  }
  /** Handshakes that were refused here, by the code of the answer. */
  readonly refused: Record<string, number> = {}

  refuse(code: string): void {
    this.refused[code] = (this.refused[code] ?? 0) + 1
  }
}
