import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** @param host name or address, IPv6 without brackets. Only `localhost` is a name that never leaves the machine. */
export function isLoopback(host: string): boolean {
  switch (isIP(host)) {
    case 4:
      return LOOPBACK.check(host)
    case 6:
      return LOOPBACK.check(host, 'ipv6')
    default:
      return host.toLowerCase() === 'localhost'
  }
}
