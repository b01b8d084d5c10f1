import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { generate } from 'selfsigned'

export interface IssuedCertificate {
  cert: string
  key: string
}

export interface Issuer extends IssuedCertificate {
  /** A PEM file of it, for `clientCertificates.ca`. */
  file: string
  /** A client's certificate: its common name, and a DNS and a URI name. */
  issue(name: string): Promise<IssuedCertificate>
}

/** Somebody who issues certificates to clients; its file goes with the test, in a folder that no gateway of it empties. */
export async function createIssuer(t: Test, name = 'issuer'): Promise<Issuer> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  const folder = mkdtempSync(join(tmpdir(), 'headrace-issuer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, `${name}.crt`)
  writeFileSync(file, made.cert)
  const issue = async (client: string): Promise<IssuedCertificate> => {
    const attributes = [
      { name: 'commonName', value: client },
      { name: 'organizationName', value: 'Acme' },
    ]
    const { cert, private: key } = await generate(attributes, {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() - 86_400_000),
      ca: { key: made.private, cert: made.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'extKeyUsage', clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: `${client}.acme.test` },
            { type: 6, value: `spiffe://acme/${client}` },
          ],
        },
      ],
    })
    return { cert, key }
  }
  return { cert: made.cert, key: made.private, file, issue }
}
