import { registerHooks } from 'node:module'

/**
 * Loaded before each test file (.taprc), in place of async-hook-domain, by which tap finds the test that an error belongs to.
 * That follows every promise and every resource by async hooks: a third of what starting a gateway costs. Here an error that
 * nobody catches fails a test of its file that has not ended; its stack tells the rest.
 */

type Origin = 'uncaughtException' | 'unhandledRejection'
type OnError = (error: unknown, origin: Origin) => void

const open: Domain[] = []

/** What tap uses of the library's class. */
export class Domain {
  destroyed = false
  readonly onerror: OnError

  constructor(onerror: OnError) {
    this.onerror = onerror
    open.push(this)
    if (open.length === 1) for (const [origin, listener] of LISTENERS) process.on(origin, listener)
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    open.splice(open.indexOf(this), 1)
    if (open.length === 0) for (const [origin, listener] of LISTENERS) process.off(origin, listener)
  }
}

const LISTENERS = (['uncaughtException', 'unhandledRejection'] as const).map(
  (origin) => [origin as 'uncaughtException', (error: unknown) => open.at(-1)?.onerror(error, origin)] as const,
)

/** Two modules of tap import it. */
let left = 2
const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'async-hook-domain') return next(specifier, context)
    if (--left === 0) hooks.deregister()
    return { url: import.meta.url, shortCircuit: true }
  },
})
// Threads and processes of the code under test have no tests to follow.
process.execArgv = process.execArgv.filter((argument) => !argument.includes('light-domain'))
