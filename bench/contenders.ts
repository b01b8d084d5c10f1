/** Who is measured. `--only` picks by name; without it, all but the extras run. */
export interface Contender {
  name: string
  title: string
  /** Below bench/peers/. */
  script: string
  args: readonly string[]
  /** Only on demand: variants that inform a decision, not a comparison. */
  extra?: true
}

/** Ratios are relative to this one. */
export const REFERENCE = 'fastify-http-proxy'

const bare = (name: string, write: string, title: string): Contender => ({
  name,
  title: `node:http + undici dispatch, ${title}`,
  script: 'bare-dispatch.ts',
  args: ['--write', write],
})

const headrace = (name: string, variant: string, title: string): Contender => ({
  name,
  title: `headrace, ${title}`,
  script: 'headrace.ts',
  args: ['--variant', variant],
})

export const CONTENDERS: readonly Contender[] = [
  { name: REFERENCE, title: '@fastify/http-proxy', script: 'fastify-http-proxy.ts', args: [] },
  headrace('headrace-lean', 'lean', 'metrics and log off'),
  headrace('headrace', 'defaults', 'defaults: metrics and log on'),
  headrace('headrace-quiet', 'quiet', 'metrics on, log off'),
  bare('bare-dispatch', 'raw', 'writeHead(array)'),
  { ...bare('bare-dispatch-raw-last', 'raw-last', 'writeHead(array), end(last chunk)'), extra: true },
  { ...bare('bare-dispatch-block', 'block', 'own header block'), extra: true },
  { ...bare('bare-dispatch-block-last', 'block-last', 'own header block, end(last chunk)'), extra: true },
  { ...bare('bare-dispatch-block-string', 'block-string', 'own header block, head and body one string'), extra: true },
  { name: 'nginx', title: 'nginx, one worker', script: 'nginx.ts', args: [] },
]

/** The command line asks for what there is not. */
export class UsageError extends Error {}

/** @param only names, or null for the usual ones; the reference is always among them @throws UsageError for an unknown name */
export function selectContenders(only: readonly string[] | null): Contender[] {
  if (only === null) return CONTENDERS.filter((contender) => !contender.extra)
  const unknown = only.filter((name) => !CONTENDERS.some((contender) => contender.name === name))
  if (unknown.length > 0) {
    const names = CONTENDERS.map((contender) => contender.name).join(', ')
    throw new UsageError(`No contender is named ${unknown.join(', ')}. There are: ${names}`)
  }
  return CONTENDERS.filter(({ name }) => name === REFERENCE || only.includes(name))
}
