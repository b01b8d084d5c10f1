/** No descriptor is left, of the process or of the machine. */
const OUT_OF_FILES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE'])

/**
 * Where it cannot be read, the last that was. libuv opens a file for the resident set (/proc/self/stat), so that
 * `process.memoryUsage()` throws while connections have taken every descriptor.
 *
 * @param read what `process.memoryUsage` was
 */
export function recalling(read: NodeJS.MemoryUsageFn): NodeJS.MemoryUsageFn {
  let last = read()
  const usage = (): NodeJS.MemoryUsage => {
    try {
      last = read()
    } catch (error) {
      rethrowOthers(error)
    }
    return { ...last }
  }
  const rss = (): number => {
    try {
      last.rss = read.rss()
    } catch (error) {
      rethrowOthers(error)
    }
    return last.rss
  }
  return Object.assign(usage, { rss })
}

function rethrowOthers(error: unknown): void {
  if (!OUT_OF_FILES.has((error as NodeJS.ErrnoException).code)) throw error
}

const recalled = recalling(process.memoryUsage)

/**
 * For the whole process, as timers of others read it (@fastify/under-pressure each second), where nobody catches what it
 * throws: a flood of connections would end the gateway.
 */
export function recallMemoryUsage(): void {
  process.memoryUsage = recalled
}
