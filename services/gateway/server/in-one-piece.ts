import { Buffer } from 'node:buffer'

/**
 * A text of ASCII by itself. V8 keeps one as the pieces that it was made of, which each write would put together anew, or as a
 * part of a longer one, which then stays as long.
 */
export function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
