import { connect, createServer } from 'node:net'

const HOST = '127.0.0.1'
const CONNECT_MS = 500

/** Hands out ports of this machine's loopback, each to one server only. */
export class PortPicker {
  readonly #given = new Set<number>()

  /** The first wish that is free, else any free port. A wish of 0 is no wish. */
  async pick(wishes: readonly (number | undefined)[]): Promise<number> {
    for (const wish of wishes) {
      if (!wish || this.#given.has(wish)) continue
      this.#given.add(wish) // before waiting: two servers may wish for the same
      if (await isFree(wish)) return wish
      this.#given.delete(wish)
    }
    for (;;) {
      const port = await anyFreePort()
      if (this.#given.has(port)) continue
      this.#given.add(port)
      return port
    }
  }

  giveBack(port: number): void {
    this.#given.delete(port)
  }
}

/** Free is what nobody answers on, and what can be listened on; a listener on all addresses is seen by the first. */
export async function isFree(port: number): Promise<boolean> {
  return !(await isAnswered(port)) && (await listenOn(port)) !== undefined
}

async function anyFreePort(): Promise<number> {
  const port = await listenOn(0)
  if (port === undefined) throw new Error(`no free port on ${HOST}`)
  return port
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port, timeout: CONNECT_MS })
    const settle = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

function listenOn(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}
