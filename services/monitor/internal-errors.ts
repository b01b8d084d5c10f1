import { family, type MetricDefinition, type MetricSource } from './families.ts'

const total: MetricDefinition = {
  name: 'headrace_internal_errors_total',
  type: 'counter',
  help: 'Requests that ended with a fault of the gateway itself (HR_INTERNAL); each stands in its log, with the stack',
  labels: [],
}

/** Exceptions of the gateway's own code. Each has ended one request, and goes into the log with its stack. */
export class InternalErrors implements MetricSource {
  readonly definitions = [total]
  count = 0
  readonly #log: { error(details: object, message: string): void }

  constructor(log: { error(details: object, message: string): void }) {
    this.#log = log
  }

  record(error: unknown, requestId: string): void {
    this.count++
    this.#log.error({ err: error, requestId }, 'Unexpected error')
  }

  collect(): ReturnType<MetricSource['collect']> {
    return [family(total, [{ labels: {}, value: this.count }])]
  }
}
