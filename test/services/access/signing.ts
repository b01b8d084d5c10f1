import { createHmac } from 'node:crypto'

export interface Signing {
  keyid: string
  secret: string
  /** As in Host. */
  authority: string
  path: string
  nonce?: string
  /** Default: GET. */
  method?: string
  /** Content-Digest, where there is a body. */
  digest?: string
}

/** Fields of a request that is signed now, line by line as RFC 9421 §2.5 shows it. */
export function signatureFields({ keyid, secret, nonce, digest, ...signing }: Signing): [string, string][] {
  const { authority, path, method = 'GET' } = signing
  const once = nonce === undefined ? '' : `;nonce="${nonce}"`
  const values = {
    '@method': method,
    '@authority': authority,
    '@path': path,
    ...(digest !== undefined && { 'content-digest': digest }),
  }
  const components = Object.keys(values).map((name) => `"${name}"`)
  const parameters = `(${components.join(' ')});created=${Math.floor(Date.now() / 1000)};keyid="${keyid}"${once}`
  const lines = Object.entries(values).map(([name, value]) => `"${name}": ${value}`)
  const base = [...lines, `"@signature-params": ${parameters}`].join('\n')
  const signature = createHmac('sha256', secret).update(base).digest('base64')
  return [
    ['Signature-Input', `sig=${parameters}`],
    ['Signature', `sig=:${signature}:`],
  ]
}
