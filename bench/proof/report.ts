/** What a run of proofs found out, as data and as text. */
import type { Circumstances } from '../circumstances.ts'
import { align } from '../table.ts'
import { type Figure, isMet, type Proof } from './proof.ts'

/** What came of one proof. */
export interface ProofReport {
  name: string
  title: string
  /** `null` where it was skipped. */
  met: boolean | null
  /** Why it was skipped, or broke off. */
  note: string | null
  seconds: number
  figures: (Figure & { met: boolean })[]
  /** The machine's load average, one minute, before and after: what else ran. */
  load: { before: number; after: number }
}

export interface Report extends Circumstances {
  proofs: ProofReport[]
}

export function judge(
  { name, title }: Proof,
  outcome: { figures: Figure[]; note: string | null; skipped: boolean },
  measured: Pick<ProofReport, 'seconds' | 'load'>,
): ProofReport {
  const { figures, note, skipped } = outcome
  const judged = figures.map((figure) => ({ ...figure, met: isMet(figure) }))
  const met = skipped ? null : note === null && judged.every((figure) => figure.met)
  return { name, title, met, note, figures: judged, ...measured }
}

const VERDICT = { true: 'met', false: 'MISSED', null: 'skipped' } as const

function valueOf({ value, unit }: Figure): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : 2
  const text = Number.isFinite(value)
    ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : '–'
  return unit === '' ? text : `${text} ${unit}`
}

function targetOf({ target, unit }: Figure): string {
  if (target === null) return ''
  const [sign, bound] = 'atMost' in target ? ['≤', target.atMost] : ['≥', target.atLeast]
  return bound === 0 ? 'none' : `${sign} ${bound.toLocaleString('en-US')}${unit === '' ? '' : ` ${unit}`}`
}

/** One proof: each figure with its target and the verdict. */
export function proofTable(report: ProofReport): string {
  const { title, name, met, note, figures, seconds, load } = report
  const lines = figures.map((figure) => [
    figure.name,
    valueOf(figure),
    targetOf(figure),
    figure.target === null ? '' : VERDICT[`${figure.met}`],
  ])
  const rows = lines.length === 0 ? [] : align([['', '', 'target', ''], ...lines], [0, 3])
  const around = `${seconds.toFixed(0)} s; load average ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after`
  return [`${VERDICT[`${met}`]}  ${name}: ${title} (${around})`, ...(note === null ? [] : [`  ${note}`]), ...rows].join(
    '\n',
  )
}
