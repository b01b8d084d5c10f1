import { VALIDATION_RESULTS, type ValidationRecord } from '../validation/record.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const validated: MetricDefinition = {
  name: 'headrace_validation_total',
  type: 'counter',
  help: 'Requests and answers (side) that were compared with an OpenAPI document, by result: valid, noted (different, and let pass), refused, unread (a body too large, coded, or of several parts), unknown (no operation, or no document)',
  labels: ['route', 'side', 'result'],
}

const kinds: MetricDefinition = {
  name: 'headrace_validation_disagreements',
  type: 'gauge',
  help: 'Kinds of disagreement with a specification that are known: what /performance/openapi/drift lists',
  labels: ['side'],
  aggregator: 'max',
}

const SIDES = ['request', 'response'] as const

/** What validation has found, read when someone asks. */
export function validationMetrics(record: Pick<ValidationRecord, 'routes' | 'disagreements'>): MetricSource {
  return {
    definitions: [validated, kinds],
    collect() {
      const known = record.disagreements()
      return [
        family(
          validated,
          [...record.routes()].flatMap(([route, counts]) =>
            SIDES.flatMap((side) =>
              VALIDATION_RESULTS.map((result) => ({ labels: { route, side, result }, value: counts[side][result] })),
            ),
          ),
        ),
        family(
          kinds,
          SIDES.map((side) => ({ labels: { side }, value: known.filter((one) => one.side === side).length })),
        ),
      ]
    },
  }
}
