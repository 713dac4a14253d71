import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

const OPENED = 'net.client.socket'

/**
 * The sockets that this process opens from now on. They can be made half dead, as when a packet filter forgets them: what
 * is written is lost, nothing comes, and nobody is told. Those opened later are sound.
 */
export class SilencedSockets implements Disposable {
  readonly #open = new Set<Socket>()
  readonly #onOpened = (message: unknown) => void this.#open.add((message as { socket: Socket }).socket)

  constructor() {
    subscribe(OPENED, this.#onOpened)
  }

  /** @returns how many fell silent */
  silence(): number {
    const sockets = [...this.#open].filter((socket) => !socket.destroyed)
    this.#open.clear()
    for (const socket of sockets) {
      socket.removeAllListeners('data')
      socket.pause()
      socket.write = () => true
    }
    return sockets.length
  }

  [Symbol.dispose](): void {
    unsubscribe(OPENED, this.#onOpened)
  }
}
