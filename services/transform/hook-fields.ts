import { ReservedFields } from '../downstream/reserved-fields.ts'
import { removeField } from '../http/request-fields.ts'
import { HookError } from './errors.ts'
import { refusedName, sendableValue } from './field-names.ts'

/** Fields as a hook is shown them: names in lower case, lines of one name joined (RFC 9110 §5.3). */
export function shownFields(fields: readonly string[]): Record<string, string> {
  const shown = new Map<string, string>()
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    const value = fields[i + 1] as string
    const before = shown.get(name)
    shown.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(shown)
}

/**
 * Puts what a hook has said of fields into a list of them.
 *
 * @throws HR_TRANSFORM_HOOK for a name or a value that cannot be sent
 */
export function takeFields(
  fields: string[],
  given: Readonly<Record<string, string | null>> | undefined,
  { side, hook }: { side: 'request' | 'response'; hook: string },
): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    const lower = name.toLowerCase()
    const fault = refusedName(lower, side)
    const sent = value === null ? null : sendableValue(String(value))
    if (fault !== undefined || sent === undefined) {
      const reason = fault ?? `the value of ${lower} cannot be sent`
      throw new HookError(hook, { cause: new TypeError(reason) })
    }
    if (side === 'request') new ReservedFields([lower]).drop(fields)
    else removeField(fields, lower)
    if (sent !== null) fields.push(lower, sent)
  }
}
