import { VERSION } from '../server/version.ts'
import { type Command, optionsOf } from './command.ts'
import type { Paint } from './terminal.ts'

/** What `headrace --help` shows. */
export function generalHelp(commands: readonly Command[], paint: Paint): string {
  const rows = commands.map(({ name, arguments: words, summary }): [string, string] => {
    return [`headrace ${[...(name === 'proxy' ? [] : [name]), words].join(' ').trim()}`, summary]
  })
  return [
    `${paint('bold', 'headrace')} ${VERSION}: an API gateway for Node`,
    '',
    ...table(rows, paint),
    '',
    `The configuration is headrace.config.ts, .js, .mjs, .json, .yaml or .yml in the working directory, or --config FILE.`,
    `headrace <command> --help shows the options of a command.`,
    '',
  ].join('\n')
}

/** What `headrace <command> --help` shows. */
export function commandHelp(command: Command, paint: Paint): string {
  const words = [...(command.name === 'proxy' ? [] : [command.name]), command.arguments].join(' ').trim()
  const rows = Object.entries(optionsOf(command)).map(([name, { short, value, description }]): [string, string] => {
    return [
      `${short === undefined ? '   ' : `-${short},`} --${name}${value === undefined ? '' : ` ${value}`}`,
      description,
    ]
  })
  return [
    `${paint('bold', `headrace ${words}`)}${rows.length > 0 ? ' [options]' : ''}`,
    '',
    command.summary,
    '',
    ...table(rows, paint),
    '',
  ].join('\n')
}

function table(rows: readonly [string, string][], paint: Paint): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${paint('cyan', left.padEnd(width))}  ${right}`)
}
