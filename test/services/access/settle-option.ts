import type { Static, TSchema } from 'typebox'
import { Report } from '../../../config/problem.ts'
import { type SchemaNode, settle } from '../../../config/settle.ts'

/** Options with their defaults, as a configuration has them. @throws what is complained of */
export function settleOption<S extends TSchema>(schema: S, value: unknown): Static<S> {
  const report = new Report()
  const settled = settle(schema as SchemaNode, value, [], { report, isUnset: () => false })
  const [complaint] = report.complaints
  if (complaint !== undefined) throw new Error(complaint.message)
  return settled as Static<S>
}
