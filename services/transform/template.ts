import type { Exchange } from '../downstream/exchange.ts'
import { requestFieldValue } from '../cache/rules/message.ts'
import { decodedText } from '../http/query-text.ts'
import { isToken } from '../options/token.ts'
import type { TransformOptions } from './options.ts'

/** What a template may take from a request. */
export type TemplateSource =
  | { kind: 'text'; text: string }
  | { kind: 'header' | 'claim' | 'query' | 'param'; name: string }
  | { kind: 'consumer' | 'requestId' }

/** `\$ {…}`, where the value of a request stands. */
const PLACE = /\$\{([^{}]*)\}/g
const NAMED = /^(header|claim|query|param)\.([\s\S]+)$/

/** Why text is no template. */
export class TemplateFault {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** Reads `'${header.x}'`, `'${claim.sub}'`, `'${consumer}'`, `'${query.x}'`, `'${param.id}'`, `'${requestId}'` in text. */
export function parseTemplate(text: string): TemplateSource[] | TemplateFault {
  const parts: TemplateSource[] = []
  let end = 0
  for (const match of text.matchAll(PLACE)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) })
    end = match.index + match[0].length
    const inside = match[1] as string
    const [, kind, name] = NAMED.exec(inside) ?? []
    if (inside === 'consumer' || inside === 'requestId') parts.push({ kind: inside })
    else if (kind === undefined || name === undefined)
      return new TemplateFault(`'\${${inside}}' is nothing that is known`)
    else if (kind === 'header' && !isToken(name)) return new TemplateFault(`'${name}' is no name of a field`)
    else parts.push({ kind: kind as 'header', name: kind === 'header' ? name.toLowerCase() : name })
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) })
  const open = parts.find((part) => part.kind === 'text' && part.text.includes('${'))
  return open === undefined ? parts : new TemplateFault("'${' without its '}'")
}

/** What stands in a template at the most: a value is longer only where somebody has made it so. */
const MOST_LENGTH = 8_192

/** One template, and the parameters of the route that it may name. */
export class Template {
  readonly sources: readonly TemplateSource[]
  readonly #parameters: readonly string[]

  /** @param text of which {@link parseTemplate} says that it is one */
  constructor(text: string, parameters: readonly string[]) {
    const sources = parseTemplate(text)
    this.sources = sources instanceof TemplateFault ? [] : sources
    this.#parameters = parameters
  }

  /** @returns `undefined` where a value that it names is not there, or all together are too long */
  render(exchange: Exchange): string | undefined {
    let text = ''
    for (const source of this.sources) {
      const value = this.#value(source, exchange)
      if (value === undefined) return undefined
      text += value
      if (text.length > MOST_LENGTH) return undefined
    }
    return text
  }

  #value(source: TemplateSource, exchange: Exchange): string | undefined {
    switch (source.kind) {
      case 'text':
        return source.text
      case 'consumer':
        return exchange.identity?.consumer ?? undefined
      case 'requestId':
        return exchange.requestId
      case 'header':
        return requestFieldValue(exchange.fields.kept, source.name)
      case 'claim':
        return textOf(claimOf(exchange, source.name))
      case 'param':
        return parameterValue(exchange.parameters[this.#parameters.indexOf(source.name)])
      case 'query':
        return queryValue(exchange.query, source.name)
    }
  }
}

/** Names of the claims that templates take from whoever calls. */
export function claimsIn({ request, response }: TransformOptions): string[] {
  const changes = [request.headers, response.headers].flatMap((headers) => [
    ...(headers?.set ?? []),
    ...(headers?.add ?? []),
  ])
  return [...changes, ...(request.query?.set ?? [])].flatMap(([, text]) =>
    new Template(text, []).sources.flatMap((source) => (source.kind === 'claim' ? [source.name] : [])),
  )
}

function claimOf({ identity }: Exchange, name: string): unknown {
  if (identity === undefined) return undefined
  return Object.hasOwn(identity.claims, name) ? identity.claims[name] : undefined
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** @param raw as it stands in the path */
function parameterValue(raw: string | undefined): string | undefined {
  return raw === undefined ? undefined : decodedText(raw)
}

function queryValue(query: string, wanted: string): string | undefined {
  if (query.length <= 1) return undefined
  for (const piece of query.slice(1).split('&')) {
    const at = piece.indexOf('=')
    const name = decodedText((at === -1 ? piece : piece.slice(0, at)).replaceAll('+', ' '))
    if (name === wanted) return at === -1 ? '' : decodedText(piece.slice(at + 1).replaceAll('+', ' '))
  }
  return undefined
}
