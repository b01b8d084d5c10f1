/** An address that is being listened on. */
export interface Address {
  kind: 'public' | 'admin'
  url: string
  protocols: string[]
}
