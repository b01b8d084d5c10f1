/** What is in maintenance. */
export interface MaintenanceReport {
  /** All routes. */
  gateway: boolean
  /** Single ones, by their keys. */
  routes: string[]
  /** The keys of all routes. */
  known: string[]
}

/** What one process at least says. */
export function mergeMaintenance(parts: readonly MaintenanceReport[]): MaintenanceReport {
  return {
    gateway: parts.some(({ gateway }) => gateway),
    routes: [...new Set(parts.flatMap(({ routes }) => routes))],
    known: parts[0]?.known ?? [],
  }
}

/** The same in words, for people who look after the gateway; empty where there is none. */
export function maintenanceInWords({ gateway, routes }: Omit<MaintenanceReport, 'known'>): string[] {
  return [
    ...(gateway ? ['The gateway is in maintenance'] : []),
    ...routes.map((route) => `The route ${route} is in maintenance`),
  ]
}
