/** As much of oidc-provider, which comes without types, as the tests use. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  interface Context {
    oidc: {
      provider: { Grant: new (of: { clientId: string; accountId: string }) => Grant }
      client?: { clientId: string }
      session?: { accountId: string }
    }
  }

  export interface Configuration {
    [option: string]: unknown
    findAccount?: (context: unknown, sub: string) => { accountId: string; claims: () => Record<string, unknown> }
    loadExistingGrant?: (context: Context) => Promise<Grant>
    interactions?: { url: (context: unknown, interaction: { uid: string }) => string }
  }

  export default class Provider {
    constructor(issuer: string, configuration: Configuration)
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
  }
}
