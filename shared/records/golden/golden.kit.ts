import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'

/** The frozen bytes beside this file: hex (white space is for people) or text. Added to, never edited. */
export function golden(name: string): Buffer {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8')
  return name.endsWith('.hex') ? Buffer.from(text.replace(/\s/g, ''), 'hex') : Buffer.from(text.trimEnd())
}
