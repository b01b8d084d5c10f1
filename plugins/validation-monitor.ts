import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LocalControl } from '../services/control/local.ts'
import { readDrift } from '../services/validation/drift.ts'
import type { ValidationRecord } from '../services/validation/record.ts'

/** This process's part of the control port for validation: it answers `openapi-drift`. It shares nothing, and adds no hook. */
export interface ValidationMonitorOptions {
  local: LocalControl
  record: ValidationRecord
}

async function validationMonitor(
  _fastify: FastifyInstance,
  { local, record }: ValidationMonitorOptions,
): Promise<void> {
  local.answer({ 'openapi-drift': () => readDrift(record) })
}

export default fp(validationMonitor, { name: 'headrace-validation-monitor', fastify: '5.x' })
