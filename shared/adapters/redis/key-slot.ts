const SLOTS = 16_384

/** CRC-16/XMODEM, as Redis Cluster has it. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/** The slot of a key in a cluster: of the text between the first braces, where there is one, else of the whole key. */
export function keySlot(key: string): number {
  const open = key.indexOf('{')
  const close = open === -1 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  return crc16(Buffer.from(hashed)) % SLOTS
}

export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) ^ CRC16[(crc >>> 8) ^ byte]!) & 0xffff
  return crc
}

/** A hash tag in each of so many equal stretches of slots, so that whoever holds as many slots in a row holds one. */
export function tagsOverSlots(stretches: number): string[] {
  const tags = new Map<number, string>()
  for (let n = 0; tags.size < stretches; n++) {
    const stretch = Math.floor((keySlot(`${n}`) * stretches) / SLOTS)
    if (!tags.has(stretch)) tags.set(stretch, `${n}`)
  }
  return [...tags.values()]
}
