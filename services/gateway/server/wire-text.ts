import { Buffer } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Reply } from '../reply.ts'
import { inOnePiece } from './in-one-piece.ts'

/** A whole answer as a socket takes it. */
export interface WireText {
  readonly text: string
  /** What is ASCII is the same in both, and Node writes Latin-1 without looking at it. */
  readonly encoding: 'latin1' | 'utf8'
}

/** What an answer says of its connection when it is the last. */
export const CLOSE_LINES = 'connection: close\r\n'

/**
 * Own lines are not looked at: they are made of numbers and of our words (answer-headers.ts).
 * @param connection what the answer says of its connection, as whole lines
 */
export function wireText({ status, headers, ownLines = '', text }: Reply, connection: string): WireText {
  const body = text ?? ''
  const bytes = Buffer.byteLength(body)
  return {
    text: `${startOf(status, headers)}${ownLines}content-length: ${bytes}\r\n${endOf(connection)}${body}`,
    encoding: bytes === body.length ? 'latin1' : 'utf8',
  }
}

const HEADER = /^[\t -~]*$/
const starts = new WeakMap<Reply['headers'], { readonly status: number; readonly text: string }>()

/** Most replies have the same status and the same headers. */
function startOf(status: number, headers: Reply['headers']): string {
  const known = starts.get(headers)
  if (known?.status === status) return known.text
  for (const value of Object.values(headers))
    if (!HEADER.test(value)) throw new FreshetError('BUG', 'a header of an answer is not printable ASCII')
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = inOnePiece(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}`)
  starts.set(headers, { status, text })
  return text
}

let end = { second: Number.NaN, connection: '', text: '' }

/** It changes once a second. */
function endOf(connection: string): string {
  const nowMs = Date.now()
  const second = Math.floor(nowMs / 1_000)
  if (end.second !== second || end.connection !== connection) {
    const date = new Date(nowMs).toUTCString()
    end = { second, connection, text: inOnePiece(`date: ${date}\r\n${connection}\r\n`) }
  }
  return end.text
}
