import { MaintenanceRouteError } from '../maintenance/errors.ts'
import type { MaintenanceReport } from '../maintenance/report.ts'
import type { Answer, Control } from './control.ts'

/** Maintenance of all processes, as people see and switch it. */
export class MaintenanceAdmin {
  readonly #control: Control

  constructor(control: Control) {
    this.#control = control
  }

  /** @throws NoAnswerError */
  report(): Promise<Answer<MaintenanceReport>> {
    return this.#control.ask('maintenance')
  }

  /**
   * Switches it in every process, also in those that start later.
   *
   * @param route its key; `null` for all routes
   * @returns what is in maintenance now
   * @throws MaintenanceRouteError, NoAnswerError, PartlyAppliedError
   */
  async set(route: string | null, enabled: boolean): Promise<Answer<MaintenanceReport>> {
    if (route !== null) {
      const { known } = (await this.report()).result
      if (!known.includes(route)) throw new MaintenanceRouteError(route, known.join(', ') || 'none')
    }
    await this.#control.tell('maintenance', { route, enabled })
    return await this.report()
  }
}
