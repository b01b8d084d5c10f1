/** An address that is being listened on. */
export interface Address {
  kind: 'public' | 'admin'
  url: string
  protocols: string[]
}

/** Where this machine reaches an address that may be bound on all interfaces. */
export function reachable(url: string): string {
  return url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
}
