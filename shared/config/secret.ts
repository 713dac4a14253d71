import { z } from 'zod'

/** A line break at its end from a file would be refused by every header and handshake. */
export const secret = z
  .string()
  .min(1)
  .regex(
    /^\P{Cc}*$/u,
    'no line break or other control character: what is read from a file often ends with a line break',
  )
