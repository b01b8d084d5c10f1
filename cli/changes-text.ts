import { stringify } from 'yaml'
import type { ConfigChange } from '../services/configuration/report.ts'
import type { Paint } from './terminal.ts'

const SIGN = { added: '+', removed: '-', changed: '~', file: '~' } as const
const STYLE = { added: 'green', removed: 'red', changed: 'yellow', file: 'yellow' } as const
const NOTE = {
  certificates: 'new handshakes get it',
  reload: '',
  restart: 'restart needed',
} as const

/**
 * Changes as people read them: the property, then what it was and what it becomes; what cannot be had while the gateway
 * runs is marked.
 */
export function formatChanges(changes: readonly ConfigChange[], paint: Paint): string {
  return changes.map((change) => format(change, paint)).join('')
}

function format({ path, kind, before, after, effect }: ConfigChange, paint: Paint): string {
  const note = NOTE[effect] === '' ? '' : `  ${paint(effect === 'restart' ? 'red' : 'dim', NOTE[effect])}`
  const head = `${paint(STYLE[kind], SIGN[kind])} ${paint('bold', path)}`
  if (kind === 'file') return `${head}  ${String(after)} has another content${note}\n`
  if (kind === 'changed' && isShort(before) && isShort(after)) {
    return `${head}  ${paint('red', inline(before))} → ${paint('green', inline(after))}${note}\n`
  }
  const gone = kind === 'added' ? '' : block(before, (line) => paint('red', `  - ${line}`))
  const come = kind === 'removed' ? '' : block(after, (line) => paint('green', `  + ${line}`))
  return `${head}${note}\n${gone}${come}`
}

/** A scalar, or a list of a few. */
function isShort(value: unknown): boolean {
  return typeof value !== 'object' || value === null || inline(value).length <= 40
}

function inline(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function block(value: unknown, paintLine: (line: string) => string): string {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return ''
  const lines = stringify(value).trimEnd().split('\n')
  return lines.map((line) => `${paintLine(line)}\n`).join('')
}
