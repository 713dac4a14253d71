import { readdirSync, readFileSync } from 'node:fs'

/** As the gateway lowers the threads of its model. */
const NICENESS = 10

/** How many threads of the gateway's model there are, and how many of them want a core now. Linux; elsewhere null. */
export function modelThreads(pid: number): { all: number; busy: number } | null {
  if (process.platform !== 'linux') return null
  const states = readdirSync(`/proc/${pid}/task`).flatMap((thread) => stateOf(`/proc/${pid}/task/${thread}`))
  return { all: states.length, busy: states.filter((state) => state === 'R').length }
}

function stateOf(thread: string): string[] {
  try {
    // What follows the name, which may hold anything: the state is the first, the niceness the 17th (proc(5)).
    const fields = readFileSync(`${thread}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    return Number(fields[16]) === NICENESS ? [fields[0]!] : []
  } catch {
    return []
  }
}
