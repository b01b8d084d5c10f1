import type { ConfigProblem } from '../services/configuration/report.ts'
import { counted } from './counted.ts'
import type { Paint } from './terminal.ts'

/** Longer lines of a file are shown in part. */
const MAX_WIDTH = 110

/**
 * Every problem as people read it: the place first (terminals make it a link), what is wrong, the line with the offending
 * part underlined, and what was probably meant.
 */
export function formatProblems(problems: readonly ConfigProblem[], paint: Paint): string {
  return `${problems.map((problem) => format(problem, paint)).join('\n')}\n${paint('red', `✖ ${counted(problems.length, 'problem')}`)}\n`
}

function format(
  { source, line, column, message, code, path, suggestion, excerpt }: ConfigProblem,
  paint: Paint,
): string {
  const place = [source ?? 'configuration', line, column].filter((part) => part !== null).join(':')
  const where = path === '' ? '' : ` ${paint('dim', path)}`
  const hint = suggestion === null ? '' : `did you mean ${paint('green', suggestion)}?`
  const head = `${paint('cyan', place)}${where}\n  ${message} ${paint('dim', code)}`
  if (excerpt === null || column === null || line === null) return `${head}\n${hint === '' ? '' : `  ${hint}\n`}`
  const from = Math.max(0, Math.min(column - 1 - 40, excerpt.text.length - MAX_WIDTH))
  const text = excerpt.text.slice(from, from + MAX_WIDTH)
  // Tabs keep their width in the line of carets.
  const indent = text.slice(0, column - 1 - from).replaceAll(/[^\t]/g, ' ')
  const carets = '^'.repeat(Math.max(1, Math.min(excerpt.length, text.length - indent.length)))
  const gutter = String(line)
  const bar = paint('dim', '│')
  return [
    head,
    `  ${paint('dim', gutter)} ${bar} ${text}`,
    `  ${' '.repeat(gutter.length)} ${bar} ${indent}${paint('red', carets)}${hint === '' ? '' : ` ${hint}`}`,
    '',
  ].join('\n')
}
