import { hash, hkdfSync } from 'node:crypto'
import type * as Jose from 'jose'
import type { JWTPayload } from 'jose'
import { onDemand } from '../../lifetime/on-demand.ts'

const jose = onDemand<typeof Jose>('jose')

/** What a sealed text is for: one cannot be put in the place of another. */
export type SealPurpose = 'session' | 'login' | 'renewal'

interface Key {
  id: string
  bytes: Uint8Array
}

/**
 * Encrypts what a browser, or Redis, keeps for the gateway, so that it can neither read nor change it: JWE with A256GCM
 * (RFC 7516), its keys made from secrets by HKDF (RFC 5869). The first secret seals; all of them open, so that one can be
 * replaced.
 */
export class Seal {
  readonly #keys: readonly Key[]
  readonly #name: string
  readonly #now: () => number

  /**
   * @param name of the login: two with the same secret do not open each other's
   * @param now epoch, ms
   */
  constructor(secrets: readonly string[], { name, now }: { name: string; now: () => number }) {
    this.#name = name
    this.#now = now
    this.#keys = secrets.map((secret) => {
      const bytes = new Uint8Array(hkdfSync('sha256', secret, '', `headrace cookie ${name}`, 32))
      return { id: hash('sha256', bytes, 'base64url').slice(0, 8), bytes }
    })
  }

  /** @param until epoch, ms */
  async seal(content: object, purpose: SealPurpose, until: number): Promise<string> {
    const { id, bytes } = this.#keys[0] as Key
    return await new (jose().EncryptJWT)({ content })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id })
      .setIssuer(this.#name)
      .setAudience(purpose)
      .setExpirationTime(Math.floor(until / 1000))
      .encrypt(bytes)
  }

  /** @returns `undefined` for what was not sealed here for this purpose, or is over */
  async open(text: string, purpose: SealPurpose): Promise<JWTPayload['content']> {
    const { errors, jwtDecrypt } = jose()
    try {
      const { payload } = await jwtDecrypt(text, ({ kid }) => this.#keyOf(kid), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        issuer: this.#name,
        audience: purpose,
        currentDate: new Date(this.#now()),
      })
      return payload.content
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
      throw error
    }
  }

  /** @throws what jose throws of an unknown key */
  #keyOf(id: string | undefined): Uint8Array {
    const key = this.#keys.find((one) => one.id === id)
    if (key === undefined) throw new (jose().errors.JWEInvalid)()
    return key.bytes
  }
}
