import { Transform, type TransformCallback } from 'node:stream'

/** Lines of diagnostics of one failure, and of all at the end. */
const MOST_LINES = 40
const MOST_LINES_AT_THE_END = 100
/** What tap says of a file whose process failed, less how it was started. */
const OF_A_PROCESS = /^ +(exitCode|signal|expired):/

interface Subtest {
  name: string
  /** How many failures there were when it began. */
  failuresBefore: number
}

interface Failure {
  /** The file, the tests around and the assertion. */
  path: string[]
  diagnostics: string[]
}

/**
 * What `npm test` prints of tap's output: a line a file, and at the end what failed with its diagnostics, and
 * `N passed, N failed`. A log that keeps only its tail keeps what matters.
 */
export default class Reporter extends Transform {
  readonly #open: Subtest[] = []
  readonly #failures: Failure[] = []
  readonly #skipped: string[] = []
  #rest = ''
  #assertions = 0
  #counts = ''
  /** Where the diagnostics of the last failure go; their indentation once they have begun. */
  #diagnostics: string[] | undefined
  #indent: number | undefined

  override _transform(chunk: Buffer | string, _encoding: BufferEncoding, done: TransformCallback): void {
    const lines = (this.#rest + chunk.toString()).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#read(line)
    done()
  }

  override _flush(done: TransformCallback): void {
    for (const name of this.#skipped) this.push(`skipped: ${name}\n`)
    const details = this.#failures.flatMap(({ path, diagnostics }) => [
      `not ok: ${path.join(' > ')}`,
      ...(path.length > 1 ? diagnostics : diagnostics.filter((line) => OF_A_PROCESS.test(line))),
    ])
    if (details.length > 0) this.push(`\n${details.slice(0, MOST_LINES_AT_THE_END).join('\n')}\n`)
    if (details.length > MOST_LINES_AT_THE_END) {
      const files = new Set(this.#failures.map(({ path: [file] }) => file))
      this.push(`… ${details.length - MOST_LINES_AT_THE_END} more lines. Failures are in ${[...files].join(', ')}\n`)
    }
    if (this.#counts !== '') this.push(`${this.#counts}\n`)
    done()
  }

  #read(line: string): void {
    if (this.#diagnostics !== undefined && this.#isDiagnostic(line, this.#diagnostics)) return
    const [, spaces = '', rest = ''] = /^( *)(.*)$/.exec(line) ?? []
    const depth = spaces.length / 4
    const [, subtest] = /^# Subtest: (.*)$/.exec(rest) ?? []
    const [, not, text] = /^(not )?ok \d+(?: - )?(.*)$/.exec(rest) ?? []
    const [, totals] = depth === 0 ? (/^# \{ (total: .*) \}$/.exec(rest) ?? []) : []
    if (subtest !== undefined) {
      this.#open.length = Math.min(this.#open.length, depth)
      this.#open[depth] = { name: subtest, failuresBefore: this.#failures.length }
    } else if (text !== undefined) this.#result(depth, not === undefined, text)
    else if (totals !== undefined) {
      const count = (name: string): string => new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? '0'
      this.#counts = `${count('pass')} passed, ${count('fail')} failed`
    } else if (rest.startsWith('Bail out!')) this.push(`${rest}\n`)
  }

  #result(depth: number, ok: boolean, text: string): void {
    const [, name = '', directive, reason] = /^(.*?)(?: # (?:(SKIP|TODO)(?: (.*))?|time=.*))?$/.exec(text) ?? []
    const subtest = this.#open[depth]
    const isSubtest = subtest?.name === name
    const path = [...this.#open.slice(0, depth).map((around) => around.name), name]
    // A test is not ok because of what is within it, which is told already.
    const isTold = isSubtest && this.#failures.length > subtest.failuresBefore
    if (directive === 'SKIP') this.#skipped.push(`${path.join(' > ')}${reason === undefined ? '' : ` (${reason})`}`)
    if (!ok && directive === undefined && !isTold) {
      this.#diagnostics = []
      this.#failures.push({ path, diagnostics: this.#diagnostics })
    }
    if (!isSubtest) this.#assertions++
    else this.#open.length = depth
    if (depth > 0) return
    const seconds = (Number(/ # time=([\d.]+)ms$/.exec(text)?.[1] ?? 0) / 1000).toFixed(1)
    this.push(`${ok ? 'ok' : 'not ok'} ${name} (${this.#assertions} in ${seconds} s)\n`)
    this.#assertions = 0
  }

  /** @returns whether the line belongs to the YAML block of the last failure */
  #isDiagnostic(line: string, diagnostics: string[]): boolean {
    if (this.#indent === undefined) {
      if (line.trim() !== '---') {
        this.#diagnostics = undefined
        return false
      }
      this.#indent = line.indexOf('---')
      return true
    }
    if (line.slice(this.#indent) === '...') this.#diagnostics = this.#indent = undefined
    else if (diagnostics.length < MOST_LINES && line.trim() !== '') diagnostics.push(`  ${line.slice(this.#indent)}`)
    return true
  }
}
