import { Type } from './type.ts'

/** How the gateway speaks TLS to what it connects to, as people write it. */
export const tlsClientProperties = {
  ca: Type.Optional(Type.String({ description: 'PEM file of the authorities to trust' })),
  cert: Type.Optional(Type.String({ description: 'PEM file of the client certificate' })),
  key: Type.Optional(Type.String({ description: 'PEM file of its key' })),
  servername: Type.Optional(Type.String({ description: 'Name to ask for (SNI) and to verify' })),
  verify: Type.Boolean({ default: true, description: 'Refuse certificates that do not verify' }),
}
