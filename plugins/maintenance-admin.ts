import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { MaintenanceAdmin } from '../services/control/maintenance-admin.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Maintenance of every data-plane process. */
    maintenanceAdmin: MaintenanceAdmin
  }
}

/** Maintenance, for the routes that show and switch it through the control port. It shares `maintenanceAdmin`. */
async function maintenanceAdmin(fastify: FastifyInstance): Promise<void> {
  fastify.decorate('maintenanceAdmin', new MaintenanceAdmin(fastify.control))
}

export default fp(maintenanceAdmin, {
  name: 'headrace-maintenance-admin',
  fastify: '5.x',
  dependencies: ['headrace-control'],
})
