import { type Environment, firstListener, WELL_KNOWN } from './environment.ts'
import { formatPath, type Path } from './problem.ts'
import { isRecord } from './value.ts'

/** What the command line sets, by the name of its option without dashes. */
export type Flags = Readonly<Record<string, string | undefined>>

/** Options of the command line without a variable of the same meaning. */
const FLAG_PLACES: Record<string, (raw: Record<string, unknown>) => Path[]> = {
  processes: () => [['processes']],
  'admin-port': () => [['admin', 'port']],
  tls: (raw) => firstListener(raw, 'tls'),
  watch: () => [['reload', 'watch']],
}

export interface Overlay {
  value: unknown
  /** Where a value comes from that is not the file's: `PORT=80 (environment)`, by its formatted path. */
  origins: Map<string, string>
}

/** Lays the command line over the environment over the file. What is not an object stays as it is, for the validation. */
export function overlay(file: unknown, environment: Environment, flags: Flags): Overlay {
  const origins = new Map<string, string>()
  if (!isRecord(file)) return { value: file, origins }
  let value: Record<string, unknown> = file
  const set = (path: Path, text: string, origin: string): void => {
    const next = withValue(value, path, text)
    if (next === undefined) return
    value = next as Record<string, unknown>
    origins.set(formatPath(path), origin)
  }
  for (const variable of WELL_KNOWN) {
    const flag = variable.flag === undefined ? undefined : flags[variable.flag]
    const text = flag ?? environment.get(variable.name)
    if (text === undefined) continue
    const origin =
      flag === undefined ? `${variable.name} (${environment.originOf(variable.name)})` : `--${variable.flag}`
    for (const path of variable.places(value)) set(path, text, origin)
  }
  for (const [flag, places] of Object.entries(FLAG_PLACES)) {
    const text = flags[flag]
    if (text === undefined) continue
    for (const path of places(value)) set(path, text, `--${flag}`)
  }
  return { value, origins }
}

/** A copy with one value set; `undefined` where something on the way is no container. */
function withValue(container: unknown, path: Path, value: unknown): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  if (Array.isArray(container) && typeof head === 'number') {
    const inner = withValue(container[head], rest, value)
    return inner === undefined ? undefined : container.with(Math.min(head, container.length - 1), inner)
  }
  if (container !== undefined && container !== null && !isRecord(container)) return undefined
  const inner = withValue(isRecord(container) ? container[head] : undefined, rest, value)
  return inner === undefined ? undefined : { ...container, [head]: inner }
}
