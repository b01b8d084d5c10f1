import { styleText } from 'node:util'

/** What is shown on the terminal once everything listens. */
export interface Banner {
  title: string
  /** What listens where, in the order shown. */
  addresses: readonly BannerAddress[]
  /** Where the documentation is; `null` where it is switched off. */
  docs: string | null
  /** What is not in use, and the environment variable that switches it on. */
  off: readonly { feature: string; variable: string }[]
  /** Commands that work as they are when pasted into a shell. */
  commands: readonly { purpose: string; command: string }[]
}

export interface BannerAddress {
  /** `public`, `admin`, or whatever else the process runs. */
  kind: string
  url: string
  /** As a client would name them: `h2`, `http/1.1`. */
  protocols: readonly string[]
}

const PROTOCOL_NAMES: Readonly<Record<string, string>> = {
  'http/1.1': 'HTTP/1.1',
  h2: 'HTTP/2',
  h2c: 'HTTP/2 without TLS',
}

type Style = Parameters<typeof styleText>[0]

/**
 * The banner as text that ends in a line feed: where it listens, the docs, what is off, commands to try; a part with
 * nothing in it is left out. A command stands alone in its lines and is never wrapped or coloured inside, so that it can be
 * copied as it is.
 *
 * @param colour with ANSI colours; see `takesColour`
 */
export function renderBanner(banner: Banner, colour: boolean): string {
  const paint = (style: Style, text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text
  const kinds = width(banner.addresses.map(({ kind }) => kind))
  const urls = width(banner.addresses.map(({ url }) => url))
  const features = width(banner.off.map(({ feature }) => feature))

  const sections = [
    [paint('bold', banner.title)],
    banner.addresses.map(({ kind, url, protocols }) =>
      `  ${paint('green', kind.padEnd(kinds))}  ${paint('cyan', url.padEnd(urls))}  ${paint('dim', protocols.map((name) => PROTOCOL_NAMES[name] ?? name).join(', '))}`.trimEnd(),
    ),
    banner.docs === null ? [] : [`  ${paint('green', 'docs'.padEnd(kinds))}  ${paint('cyan', banner.docs)}`],
    banner.off.map(
      ({ feature, variable }) =>
        `  ${paint('yellow', 'off'.padEnd(kinds))}  ${feature.padEnd(features)}  ${paint('dim', `set ${variable}`)}`,
    ),
    banner.commands.length === 0
      ? []
      : [
          `  ${paint('bold', 'Try')}`,
          ...banner.commands.flatMap(({ purpose, command }) => [`  ${paint('dim', `# ${purpose}`)}`, `  ${command}`]),
        ],
  ]
  return `\n${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n\n`
}

/** Whether a stream shows colours: a terminal, and neither NO_COLOR nor its like says otherwise (node:util decides). */
export function takesColour(stream: NodeJS.WritableStream): boolean {
  return styleText('red', '.', { stream }) !== '.'
}

function width(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length))
}
