/** Addresses of a guest as its agent tells them. */

interface Interface {
  name?: string
  'hardware-address'?: string
  'ip-addresses'?: { 'ip-address'?: string; 'ip-address-type'?: string; prefix?: number }[]
}

export interface Address {
  nic: string
  mac?: string
  ip: string
}

/** Those by which the guest can be reached, IPv4 first: neither loopback nor link-local. */
export function addressesOf(answer: unknown): Address[] {
  const list = (answer as { result?: unknown } | undefined)?.result
  if (!Array.isArray(list)) return []
  const found = (list as Interface[]).flatMap((nic) =>
    (nic['ip-addresses'] ?? []).map((each) => ({
      nic: nic.name ?? '',
      mac: nic['hardware-address'],
      ip: each['ip-address'] ?? '',
    })),
  )
  const reachable = found.filter(({ ip }) => ip !== '' && !/^(127\.|::1$|fe80:)/i.test(ip))
  return [...reachable.filter(({ ip }) => !ip.includes(':')), ...reachable.filter(({ ip }) => ip.includes(':'))]
}
