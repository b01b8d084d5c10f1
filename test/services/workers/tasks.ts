/** What test/services/workers has threads do. */

export function echo(input: unknown): unknown {
  return input
}

export function hang(): void {
  for (;;);
}

/** Blocks its thread for so many milliseconds. */
export function block(ms: number): string {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return 'done'
}

export function fail(message: string): void {
  throw new Error(message)
}

export function exit(): void {
  process.exit(1)
}

export function fillMemory(): void {
  const held: unknown[] = []
  for (;;) held.push(Array.from({ length: 100_000 }, (_, i) => ({ i })))
}
