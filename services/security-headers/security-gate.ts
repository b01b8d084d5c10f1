import { dressInstead, OwnNames } from '../downstream/dressed-reply.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Gate } from '../gate/gate.ts'
import { compileSecurityHeaders } from './compile.ts'
import type { SecurityHeadersOptions } from './options.ts'

/**
 * Security headers of a route. It refuses nobody: it comes first, so that every answer has them, problems as well, in place
 * of what an upstream says under these names.
 */
class SecurityGate implements Gate {
  readonly step = 'dress'
  readonly description: string
  readonly #fields: readonly string[]
  readonly #names: OwnNames

  /** @throws HR_SECURITY_HEADERS_INVALID */
  constructor(options: SecurityHeadersOptions) {
    const { fields, removed } = compileSecurityHeaders(options)
    const names = fields.filter((_, index) => index % 2 === 0)
    this.#fields = fields
    this.#names = new OwnNames([...names, ...removed])
    this.description = names.length === 0 ? 'none' : names.join(', ')
  }

  check(exchange: Exchange): undefined {
    dressInstead(exchange, this.#names, this.#fields)
  }
}

/** The gate of a route with `securityHeaders`. @throws HR_SECURITY_HEADERS_INVALID */
export function securityGate({ securityHeaders }: { securityHeaders: SecurityHeadersOptions | null }): Gate | null {
  return securityHeaders === null ? null : new SecurityGate(securityHeaders)
}
