import { connect } from 'node:net'

/**
 * Sends one request to a port of this machine and gathers bytes until `read` makes something of them.
 * undefined: nothing listens, the connection closed first, or the signal aborted.
 */
export function askOverTcp<T>(
  port: number,
  request: Buffer | string,
  read: (answer: Buffer) => T | undefined,
  signal: AbortSignal,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    let answer = Buffer.alloc(0)
    const settle = (value?: T) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(value)
    }
    const onAbort = () => settle()
    signal.addEventListener('abort', onAbort)
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      const value = read(answer)
      if (value !== undefined) settle(value)
    })
    socket.on('error', () => settle())
    socket.on('close', () => settle())
  })
}
