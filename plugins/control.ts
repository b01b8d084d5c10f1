import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Control } from '../services/control/control.ts'

/**
 * The control port, for the routes that read and steer the data plane. It shares `control`.
 *
 * The same routes work wherever they are mounted: give it the `LocalControl` of this process, a supervisor's control, or
 * the link of a process, which lets the supervisor answer for all.
 */
export interface ControlOptions {
  control: Control
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Queries and commands to every data-plane process. */
    control: Control
  }
}

async function control(fastify: FastifyInstance, options: ControlOptions): Promise<void> {
  fastify.decorate('control', options.control)
}

export default fp(control, { name: 'headrace-control', fastify: '5.x' })
