import { createHmac } from 'node:crypto'

export interface Signing {
  keyid: string
  secret: string
  /** As in Host. */
  authority: string
  path: string
  nonce?: string
}

/** Fields of a GET that is signed now, line by line as RFC 9421 §2.5 shows it. */
export function signatureFields({ keyid, secret, authority, path, nonce }: Signing): [string, string][] {
  const once = nonce === undefined ? '' : `;nonce="${nonce}"`
  const parameters = `("@method" "@authority" "@path");created=${Math.floor(Date.now() / 1000)};keyid="${keyid}"${once}`
  const base = `"@method": GET\n"@authority": ${authority}\n"@path": ${path}\n"@signature-params": ${parameters}`
  const signature = createHmac('sha256', secret).update(base).digest('base64')
  return [
    ['Signature-Input', `sig=${parameters}`],
    ['Signature', `sig=:${signature}:`],
  ]
}
