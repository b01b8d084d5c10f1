/** What test/services/workers has threads do. */

export function echo(input: unknown): unknown {
  return input
}

export function hang(): void {
  for (;;);
}

/** Busy for so many milliseconds. */
export function spin(ms: number): string {
  const end = performance.now() + ms
  while (performance.now() < end);
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
