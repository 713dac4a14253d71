import { isFree, PortPicker } from './ports.ts'
import { type PortsRecord, readPorts, writePorts } from './run-records.ts'
import type { Server, Site } from './server.ts'
import type { ServerName } from './services-file.ts'

interface ServerPortsOptions {
  readonly home: string
  readonly wishes: Partial<Record<ServerName, number>>
  readonly report: (line: string) => void
}

/** Where the servers of one home listen: each where it was before whenever that is free; what differs is told. */
export class ServerPorts {
  readonly #options: ServerPortsOptions
  readonly #picker = new PortPicker()

  constructor(options: ServerPortsOptions) {
    this.#options = options
  }

  /** @param known client port of a process that has ended, for when it never came to be remembered. */
  async choose({ name, ports }: Server, known: number | undefined): Promise<Site['ports']> {
    const { home, wishes, report } = this.#options
    const before = readPorts(home, name)
    const wanted = [before?.client ?? known, wishes[name] ?? ports.client]
    const client = await this.#picker.pick(wanted)
    const inner = await this.#picker.pick([before?.inner, ports.inner])
    reportTaken(name, wanted, client, report)
    return { client, inner }
  }

  /** Which of them a stranger has got; all are given back, to be chosen anew where they are free. */
  async giveBack(ports: Site['ports']): Promise<readonly number[]> {
    for (const port of [ports.client, ports.inner]) this.#picker.giveBack(port)
    return takenOf(ports)
  }

  /** The server answers there: so it shall the next time. */
  settle({ name }: Server, known: number | undefined, ports: PortsRecord): void {
    const { home, report } = this.#options
    const before = readPorts(home, name)
    reportMove(name, before?.client ?? known, ports.client, report)
    writePorts(home, name, { ...before, ...ports })
  }
}

export async function takenOf({ client, inner }: Site['ports']): Promise<readonly number[]> {
  const free = await Promise.all([client, inner].map(isFree))
  return [client, inner].filter((_port, index) => !free[index])
}

/** @param wanted in order of preference; 0 is no wish. */
export function reportTaken(
  name: ServerName,
  wanted: readonly (number | undefined)[],
  port: number,
  report: (line: string) => void,
): void {
  const first = wanted.find((wish) => wish !== undefined)
  if (first && first !== port) report(`${first} is taken, ${name} uses ${port}`)
}

export function reportMove(
  name: ServerName,
  before: number | undefined,
  port: number,
  report: (line: string) => void,
): void {
  if (before !== undefined && before !== port)
    report(`${name} moved from ${before} to ${port}: restart \`run all\``)
}
