import type { ObjectStore } from '@freshet/ports/object-store.ts'

/** For tests: the ranges that were asked for, and in how many round trips. */
export class Asked {
  readonly keys: string[] = []
  /** Requests that were begun while others were on their way belong to the same. */
  roundTrips = 0
  underWay = 0

  forget(): void {
    this.keys.length = 0
    this.roundTrips = 0
  }
}

/** A store whose range reads are counted. */
export function counted<Store extends ObjectStore>(store: Store): { store: Store; asked: Asked } {
  const asked = new Asked()
  const getRange: ObjectStore['getRange'] = async (key, range, signal) => {
    asked.keys.push(key)
    if (asked.underWay++ === 0) asked.roundTrips++
    await new Promise((resolve) => setImmediate(resolve)) // whoever asks side by side has asked by now
    try {
      return await store.getRange(key, range, signal)
    } finally {
      asked.underWay--
    }
  }
  const wrapped = new Proxy(store, {
    get(target, name) {
      if (name === 'getRange') return getRange
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { store: wrapped, asked }
}
