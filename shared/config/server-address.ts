import { z } from 'zod'

/** The address of a server, in which user and password may stand. */
export function serverAddress(protocol: RegExp) {
  return z
    .url({ protocol })
    .refine(isDecodable, 'user and password are percent-encoded in an address: a % in them is written %25')
}

/** Every client decodes them, and would fail with "URI malformed". What is no address at all is said elsewhere. */
function isDecodable(address: string): boolean {
  if (!URL.canParse(address)) return true
  const { username, password } = new URL(address)
  try {
    for (const part of [username, password]) decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}
