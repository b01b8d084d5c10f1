import { objectOf, type JsonObject } from './document.ts'

/** A service behind the gateway, as the document's introduction speaks of it. */
export interface DescribedService {
  upstream: string
  /** Keys of its routes that are documented. */
  routes: readonly string[]
  /** Its specification, where it has one and it could be loaded. */
  document: JsonObject | undefined
  /** Its specification is configured, but was not to be had. */
  isMissing: boolean
}

/** The other plane's documents. */
export interface RelatedDocument {
  /** `The control plane` */
  title: string
  url: string
}

/**
 * The Info Object of a merged document (and its `externalDocs`): named after the service behind the gateway where there
 * is just one, with a table of what is behind which paths.
 */
export function describe(
  info: JsonObject,
  services: readonly DescribedService[],
  related: RelatedDocument | null,
): JsonObject {
  const documented = services.filter((service) => service.document !== undefined)
  const only = documented.length === 1 && services.length === 1 ? objectOf(documented[0]?.document?.['info']) : {}
  const paragraphs = [
    text(only['description']) ?? text(info['description']),
    services.length > 0 ? table(services) : undefined,
    ...services.filter(({ isMissing }) => isMissing).map(missing),
    related === null ? undefined : `${related.title} has its own documents: [${related.url}](${related.url}).`,
  ]
  const settled: JsonObject = {
    info: {
      ...info,
      title: text(only['title']) ?? text(info['title']) ?? 'Headrace',
      version: text(only['version']) ?? text(info['version']) ?? '0.0.0',
      description: paragraphs.filter((paragraph) => paragraph !== undefined).join('\n\n'),
    },
  }
  if (related !== null) settled['externalDocs'] = { description: related.title, url: related.url }
  return settled
}

function table(services: readonly DescribedService[]): string {
  const rows = services.map(({ upstream, routes, document }) => {
    const { title, version } = objectOf(document?.['info'])
    const name = text(title) === undefined ? `\`${upstream}\`` : `**${cell(text(title) ?? '')}** (\`${upstream}\`)`
    return `| ${name} | ${cell(text(version) ?? '–')} | ${routes.map((route) => `\`${cell(route)}\``).join('<br>')} |`
  })
  return ['| Service | Version | Routes of the gateway |', '|---|---|---|', ...rows].join('\n')
}

function missing({ upstream }: DescribedService): string {
  return `The specification of \`${upstream}\` is not available at the moment: its operations are missing here.`
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
