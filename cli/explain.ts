import { isIP } from 'node:net'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, loadValid } from './configuration.ts'
import { UsageError } from './errors.ts'
import type { Asked, Explanation } from './explanation.ts'
import { type Paint, painter } from './terminal.ts'

/** Says what the gateway would do with a request, and why. */
export const explain: Command = {
  name: 'explain',
  arguments: '[METHOD] PATH',
  summary: 'Say which route takes a request and why, and what is sent where',
  options: {
    ...CONFIG_OPTION,
    host: { type: 'string', value: 'NAME', description: 'Host that the request names; or write PATH as a whole URL' },
    header: {
      type: 'string',
      short: 'H',
      value: "'NAME: VALUE'",
      multiple: true,
      description:
        'A field of the request: Host for routing, those of rules and varyBy for the side and the key of the cache',
    },
    key: { type: 'string', value: 'KEY', description: 'API key that the request carries' },
    token: { type: 'string', value: 'T', description: 'Bearer token that it carries' },
    ip: { type: 'string', value: 'ADDRESS', description: "Its client's address; default: 127.0.0.1" },
    json: { type: 'boolean', description: 'Print the explanation as JSON' },
  },
  positionals: [1, 2],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const asked = askedOf(call)
  const config = await loadValid(call)
  if (config === undefined) return 1
  const key = call.text('key')
  if (key !== undefined) asked.fields = [...(asked.fields ?? []), config.access.keys.header, key]
  const { explainVerdicts } = await import('./explanation.ts')
  const explanation = await explainVerdicts(config, asked)
  const { stdout } = call.surroundings
  stdout.write(call.has('json') ? `${JSON.stringify(explanation, null, 2)}\n` : format(explanation, painter(stdout)))
  return 0
}

/** @throws HR_CLI_USAGE */
function askedOf(call: Call): Asked {
  const [first = '', second] = call.positionals
  const method = (second === undefined ? 'GET' : first).toUpperCase()
  const target = second ?? first
  const url = /^https?:\/\//.test(target) && URL.canParse(target) ? new URL(target) : undefined
  // What the URL class would mend in a path (dot segments, backslashes) is for the gateway to judge.
  const path = url === undefined ? target : target.replace(/^https?:\/\/[^/?#]*/, '') || '/'
  if (!path.startsWith('/')) throw new UsageError(`'${target}' is no path: write explain GET /users/7`)
  const fields = call.texts('header').map((field): [string, string] => {
    const colon = field.indexOf(':')
    if (colon < 1) throw new UsageError(`'${field}' is no field: write --header 'name: value'`)
    return [field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim()]
  })
  const host = call.text('host') ?? fields.findLast(([name]) => name === 'host')?.[1] ?? url?.host ?? 'localhost'
  const authority = host.toLowerCase()
  const name = authority.replace(/:\d+$/, '').replace(/\.$/, '')
  const scheme = url?.protocol === 'https:' ? 'https' : 'http'
  const token = call.text('token')
  const bearer = token === undefined ? [] : ['authorization', `Bearer ${token}`]
  const address = call.text('ip')
  if (address !== undefined && isIP(address) === 0)
    throw new UsageError(`'${address}' is no address: write --ip 10.0.0.1`)
  const client = address === undefined ? {} : { address }
  return { method, host: name, path, scheme, authority, fields: [...fields.flat(), ...bearer], ...client }
}

function format(explanation: Explanation, paint: Paint): string {
  const { request, outcome, answer, route, upstream, sent, steps, routes } = explanation
  const lines = [paint('bold', `${request.method} ${request.path}`) + paint('dim', `  Host: ${request.host}`), '']
  const { canonicalPath } = explanation
  if (canonicalPath !== null && route === null && !request.path.startsWith(canonicalPath)) {
    lines.push(`read as  ${canonicalPath}`, '')
  }
  if (answer) {
    const colour = outcome === 'own' || outcome === 'answered' ? 'green' : 'yellow'
    const words =
      outcome === 'own' ? `the gateway's own endpoint ${answer.detail}` : `${answer.status}: ${answer.detail}`
    lines.push(`${paint(colour, outcome)}  ${words}`, '')
  }
  if (route !== null && sent && upstream) {
    lines.push(
      `route     ${paint('green', route)}`,
      `upstream  ${upstream.name} ${paint('dim', `(${upstream.targets.join(', ')})`)}`,
      `sent      ${sent.method} ${sent.path}${paint('dim', `  Host: ${sent.host}`)}`,
      '',
    )
  }
  if (steps.length > 0) {
    lines.push(
      'steps',
      ...columns(
        steps.map(({ name, detail }, index) => [`${index + 1} ${name}`, detail]),
        paint,
      ),
      '',
    )
  }
  lines.push(...verdictLines(explanation, paint))
  if (routes.length > 0) {
    lines.push(
      'routes',
      ...columns(
        routes.map(({ key, verdict, reason }) => [key, `${verdict}: ${reason}`]),
        paint,
      ),
      '',
    )
  }
  const other = outcome === 'not found' ? routes.find(({ verdict }) => verdict === 'host differs') : undefined
  if (other !== undefined)
    lines.push(paint('dim', `Another host? headrace explain ${request.method} ${request.path} --host NAME`), '')
  return lines.join('\n')
}

const COLOURS = { passes: 'green', refuses: 'yellow', answers: 'green', 'not asked': 'dim' } as const

/** What the gates say to this request, and to whom. */
function verdictLines({ gates, caller }: Explanation, paint: Paint): string[] {
  if (gates.length === 0) return []
  const rows = gates.map(({ step, verdict, status, code, detail }): [string, string] => {
    const answer = status === null ? '' : ` ${[status, code].filter((part) => part !== null).join(' ')}`
    return [step, `${paint(COLOURS[verdict], verdict)}${answer}${detail === '' ? '' : paint('dim', `  ${detail}`)}`]
  })
  const who = caller === null ? 'nobody has been asked for, or shown' : callerInWords(caller)
  return ['verdicts', ...columns([...rows, ['caller', who]], paint), '']
}

function callerInWords({ id, scheme, tier, groups, scopes }: NonNullable<Explanation['caller']>): string {
  const more = [
    ...(tier === null ? [] : [`tier ${tier}`]),
    ...(groups.length === 0 ? [] : [`groups ${groups.join(', ')}`]),
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(' ')}`]),
  ]
  return [`${id}, by ${scheme}`, ...more].join('; ')
}

/** Longer details get a line for each of their parts. */
const LONG = 100

function columns(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  const indent = ' '.repeat(width + 4)
  return rows.map(([left, right]) => {
    const shown = right.length > LONG ? right.replaceAll('; ', `;\n${indent}`) : right
    return `  ${paint('cyan', left.padEnd(width))}  ${shown}`
  })
}
