/** What `npm run proof` shows: behaviour under load that has a target. */

/** Something that was measured, and what it has to be. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** `null` for what is told for its own sake. */
  target: { atMost: number } | { atLeast: number } | null
}

export type Findings = { figures: Figure[] } | { skipped: string }

export interface Proof {
  name: string
  title: string
  /** It is given up after this long, and counts as missed. */
  limitMs: number
  run(): Promise<Findings>
}

export const figure = (name: string, value: number, unit = '', target: Figure['target'] = null): Figure => ({
  name,
  value,
  unit,
  target,
})

export const none = (name: string, value: number): Figure => figure(name, value, '', { atMost: 0 })

export function isMet({ value, target }: Figure): boolean {
  if (target === null) return true
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast
}
