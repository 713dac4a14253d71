/** Ends threads of a running Node process from outside, through its own inspector: nothing in the process is made for it. */
import { once } from 'node:events'

/**
 * Between two runs of the model, as a crash of the thread's own code is. The inspector also interrupts a call of ONNX
 * Runtime, which does not survive that: it takes the whole process along.
 */
const END = 'setImmediate(() => process.exit(1))'

/** @param inspectorUrl as Node prints it: `ws://127.0.0.1:…`. */
export class ThreadKiller implements Disposable {
  readonly #socket: WebSocket
  readonly #sessions = new Set<string>()
  #id = 0

  static async open(inspectorUrl: string): Promise<ThreadKiller> {
    const socket = new WebSocket(inspectorUrl)
    await once(socket, 'open')
    return new ThreadKiller(socket)
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { method, params } = JSON.parse(String(data))
      if (method === 'NodeWorker.attachedToWorker') this.#sessions.add(params.sessionId)
      if (method === 'NodeWorker.detachedFromWorker') this.#sessions.delete(params.sessionId)
    })
    this.#send('NodeWorker.enable', { waitForDebuggerOnStart: false })
  }

  /** The thread that has lived longest, when there is one. */
  killOldest(): boolean {
    const [oldest] = this.#sessions
    if (oldest === undefined) return false
    this.#sessions.delete(oldest)
    const evaluate = { id: 1, method: 'Runtime.evaluate', params: { expression: END } }
    this.#send('NodeWorker.sendMessageToWorker', { sessionId: oldest, message: JSON.stringify(evaluate) })
    return true
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #send(method: string, params: object): void {
    this.#socket.send(JSON.stringify({ id: ++this.#id, method, params }))
  }
}
