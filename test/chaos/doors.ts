import type { Weather } from '../cluster/front-door.ts'
import { forked, type Helper } from '../gateway-faults/world.ts'
import type { DoorOrder, DoorReport } from './doors-process.ts'
import { PROCESSES, type ProcessTarget, SERVERS, type ServerTarget, type Target } from './targets.ts'

const ALL = PROCESSES.flatMap((process) => SERVERS.map((server) => ({ process, server })))

/** Where each server listens; Kafka for each process elsewhere, since it names its own address to who asks there. */
export type ServerPorts = (process: ProcessTarget, server: ServerTarget) => number

/** One between each process and each server, with the weather of both. */
export class Doors implements AsyncDisposable {
  readonly #helper: Helper
  readonly #weather = new Map<Target, Weather>()
  #ports: DoorReport = {}
  #last: Promise<unknown> = Promise.resolve()

  static async open(portOf: ServerPorts, seed: number): Promise<Doors> {
    const doors = new Doors(forked(new URL('./doors-process.ts', import.meta.url).href))
    const ports = Object.fromEntries(ALL.map((door) => [nameOf(door), portOf(door.process, door.server)]))
    doors.#ports = await doors.#order({ do: 'open', ports, seed })
    return doors
  }

  private constructor(helper: Helper) {
    this.#helper = helper
  }

  portOf(process: ProcessTarget, server: ServerTarget): number {
    return this.#ports[nameOf({ process, server })]!
  }

  async setWeather(target: Target, weather: Weather): Promise<void> {
    this.#weather.set(target, weather)
    const doors = Object.fromEntries(
      ALL.filter((door) => door.process === target || door.server === target).map((door) => [
        nameOf(door),
        { ...this.#weather.get(door.process), ...this.#weather.get(door.server) },
      ]),
    )
    await this.#order({ do: 'weather', doors })
  }

  /** Whoever is inside is reset and whoever comes is refused. */
  slam(server: ServerTarget): Promise<unknown> {
    return this.#order({ do: 'slam', doors: doorsTo(server) })
  }

  admit(server: ServerTarget): Promise<unknown> {
    return this.#order({ do: 'admit', doors: doorsTo(server) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper[Symbol.asyncDispose]()
  }

  /** One after the other, so that each answer is the answer to its order. */
  #order(order: DoorOrder): Promise<DoorReport> {
    const done = this.#last.then(() => {
      const told = this.#helper.says<DoorReport>()
      this.#helper.child.send(order)
      return told
    })
    this.#last = done.catch(() => {}) // told to who ordered
    return done
  }
}

function doorsTo(server: ServerTarget): string[] {
  return PROCESSES.map((process) => nameOf({ process, server }))
}

function nameOf({ process, server }: { process: ProcessTarget; server: ServerTarget }): string {
  return `${process}/${server}`
}
