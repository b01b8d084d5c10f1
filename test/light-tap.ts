import { registerHooks } from 'node:module'

/**
 * Loaded first in each test file's process (.taprc), it has tap load less: a fifth of what most tests need.
 *
 * - In place of async-hook-domain, by which tap finds the test that an error belongs to: that follows every promise and every
 *   resource by async hooks, a third of what starting a gateway costs. Here an error that nobody catches fails a test of its
 *   file that has not ended; its stack tells the rest.
 * - Without what looks at every module that is loaded: for coverage and --changed, and for `t.mockImport`.
 * - None of it for processes and threads of the code under test, which have no tests to follow.
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

const PRELOADED_BY_TAP = /\/@tapjs\/(processinfo|mock)\/dist\/esm\/import\.mjs$/

/** Two modules of tap import the library; what tap preloads comes before. */
let left = 2
const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (PRELOADED_BY_TAP.test(specifier)) return { url: 'data:text/javascript,', shortCircuit: true }
    if (specifier !== 'async-hook-domain') return next(specifier, context)
    if (--left === 0) hooks.deregister()
    return { url: import.meta.url, shortCircuit: true }
  },
})

process.execArgv = process.execArgv.filter((argument) => !/^--(import=|enable-source-maps$)/.test(argument))
delete process.env.NODE_OPTIONS
