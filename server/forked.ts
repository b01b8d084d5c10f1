import { endWithSupervisor } from '../services/control/orphan.ts'

/** What a supervisor forks (supervised.ts). It is small: while the data plane loads, its supervisor may be killed. */
endWithSupervisor()
await import('./data-plane-process.ts')
