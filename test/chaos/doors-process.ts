/** A process that holds the doors between the pipeline and its servers, so that nobody's work delays what passes them. */
import { seeded } from '@freshet/stage/seeded.ts'
import { FrontDoor, type Weather } from '../cluster/front-door.ts'

/** Doors by name. */
export type DoorOrder =
  | { readonly do: 'open'; readonly ports: Readonly<Record<string, number>>; readonly seed: number }
  | { readonly do: 'weather'; readonly doors: Readonly<Record<string, Weather>> }
  | { readonly do: 'slam' | 'admit'; readonly doors: readonly string[] }

/** The ports of the doors, by their names. */
export type DoorReport = Readonly<Record<string, number>>

const doors = new Map<string, FrontDoor>()

if (process.send !== undefined) {
  let last = Promise.resolve()
  process.on('message', (order: DoorOrder) => {
    last = last.then(async () => {
      await obey(order)
      process.send!(Object.fromEntries([...doors].map(([name, { port }]) => [name, port])))
    })
  })
}

async function obey(order: DoorOrder): Promise<void> {
  if (order.do === 'open') {
    const random = seeded(order.seed)
    for (const [name, port] of Object.entries(order.ports))
      doors.set(name, await FrontDoor.open(() => [port], random))
  } else if (order.do === 'weather') {
    for (const [name, weather] of Object.entries(order.doors)) doors.get(name)!.weather = weather
  } else {
    for (const name of order.doors)
      await (order.do === 'slam' ? doors.get(name)!.slam() : doors.get(name)!.open())
  }
}
