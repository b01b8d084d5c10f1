/**
 * The part of an address that counts as one client: an IPv4 address as it is, and of an IPv6 address the first bits, since a
 * household has 2⁶⁴ of them. IPv4 in IPv6 is IPv4.
 */
export function subnetOf(address: string, ipv6Bits: number): string {
  if (!address.includes(':')) return address
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1)
  if (ipv6Bits === 128) return address.toLowerCase()
  const groups = groupsOf(address)
  let subnet = ''
  for (let i = 0; i * 16 < ipv6Bits; i++) {
    const bits = Math.min(16, ipv6Bits - i * 16)
    const group = (Number.parseInt(groups[i] ?? '0', 16) >>> (16 - bits)) << (16 - bits)
    subnet += `${group.toString(16)}:`
  }
  return `${subnet}:/${ipv6Bits}`
}

/** The groups in front of what the prefix can reach: `::` stands for as many as are missing. */
function groupsOf(address: string): string[] {
  const zone = address.indexOf('%')
  const [before = '', after] = (zone === -1 ? address : address.slice(0, zone)).split('::')
  const left = before === '' ? [] : before.split(':')
  if (after === undefined) return left
  const right = after === '' ? [] : after.split(':')
  const missing = 8 - left.length - right.length
  return [...left, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...right]
}
