import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { EvaluateConfigReply, EvaluateConfigRequest, ForeignValue } from './protocol.ts'

/**
 * Evaluates a configuration file in a process of its own, so that nothing of it stays: neither modules in the cache nor
 * timers, native code nor memory, and one that hangs can be ended from outside. It is sent one {@link EvaluateConfigRequest},
 * sends one {@link EvaluateConfigReply}, and waits to be killed.
 */

const OWN = import.meta.url
const MAX_DEPTH = 32

/** Files that the configuration is made of, beside its own. */
const modules = new Set<string>()

/** Names that `env()` was asked for and that are not set. */
const unset = new Set<string>()

/** What a configuration finds here that it would not find elsewhere: `headrace`, and what `env()` asks. */
function furnish(request: EvaluateConfigRequest): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'headrace') return { url: request.define, shortCircuit: true }
      const found = next(specifier, context)
      if (found.url.startsWith('file:') && !found.url.includes('/node_modules/')) modules.add(fileURLToPath(found.url))
      return found
    },
  })
  Object.assign(globalThis, {
    [Symbol.for('headrace.config.unset')]: (name: string) => {
      unset.add(name)
      return request.unset
    },
  })
}

/** A copy of plain data; anything else is left out and named. */
function plain(value: unknown, path: (string | number)[], foreign: ForeignValue[], above: unknown[]): unknown {
  const refuse = (kind: string): undefined => {
    foreign.push({ path, kind })
    return undefined
  }
  if (typeof value === 'function') return refuse('a function')
  if (typeof value === 'symbol' || typeof value === 'bigint') return refuse(`a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value
  if (above.includes(value)) return refuse('a reference to what contains it')
  if (above.length >= MAX_DEPTH) return refuse(`nested more than ${MAX_DEPTH} deep`)
  const inside = [...above, value]
  if (Array.isArray(value)) return value.map((item, index) => plain(item, [...path, index], foreign, inside))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    return refuse(value instanceof Promise ? 'a promise: await it' : `a ${value.constructor?.name ?? 'class instance'}`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(item, [...path, key], foreign, inside)]),
  )
}

/** A syntax error begins its stack so: the file and line, a few lines of it, and a caret below the last. */
const SYNTAX_PLACE = /^(?<file>\S.*?):(?<line>\d+)\n(?:[^\n]*\n)+?(?<caret> *)\^/
const FRAME = /\bat (?:.*\()?(?<file>file:.*?):(?<line>\d+):(?<column>\d+)\)?$/

/** What failed, and where in which file: the first frame that is none of ours. */
function failure(error: unknown, request: EvaluateConfigRequest): EvaluateConfigReply {
  if (!(error instanceof Error)) {
    const message = `it threw ${typeof error === 'string' ? `'${error}'` : `a value of type ${typeof error}`}`
    return { outcome: 'failure', name: 'Error', message, code: null, line: null, column: null, file: null }
  }
  const stack = error.stack ?? ''
  const syntax = SYNTAX_PLACE.exec(stack)?.groups
  const frames = stack.split('\n').map((line) => FRAME.exec(line)?.groups)
  const frame = frames.find((each) => each?.file !== undefined && each.file !== request.define && each.file !== OWN)
  const file = syntax?.file ?? frame?.file ?? null
  return {
    outcome: 'failure',
    name: error.name,
    message: error.message,
    code: 'code' in error && typeof error.code === 'string' ? error.code : null,
    line: Number(syntax?.line ?? frame?.line ?? 0) || null,
    column: syntax ? (syntax.caret ?? '').length + 1 : Number(frame?.column ?? 0) || null,
    file: file?.startsWith('file:') === true ? fileURLToPath(file) : file,
  }
}

/** Without any import or export, a file is CommonJS to Node, and its default export the empty object that it begins with. */
function isUnexported(module: { default?: unknown }): boolean {
  const { default: value } = module
  return 'module.exports' in module && typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

async function evaluate(request: EvaluateConfigRequest): Promise<EvaluateConfigReply> {
  furnish(request)
  try {
    const module = (await import(request.url)) as { default?: unknown }
    const foreign: ForeignValue[] = []
    const value = isUnexported(module) ? undefined : plain(module.default, [], foreign, [])
    const javascript = request.typescript === null ? null : stripTypeScriptTypes(request.typescript)
    return { outcome: 'value', value, foreign, unset: [...unset], javascript, modules: [...modules] }
  } catch (error) {
    return failure(error, request)
  }
}

function reply(message: EvaluateConfigReply): void {
  process.channel?.ref()
  process.send?.(message)
}

// Sent to the whole group of the gateway's processes, it asks for a reload: this may be the one.
process.on('SIGHUP', () => {})
process.once('disconnect', () => process.exit())
process.once('message', (request: EvaluateConfigRequest) => {
  // The channel alone holds no process: a file that awaits what never comes lets it end, which tells so.
  process.channel?.unref()
  process.once('uncaughtException', (error) => reply(failure(error, request)))
  // Not awaited: of a file that awaits for ever, Node would warn in its own words.
  void evaluate(request).then(reply)
})
