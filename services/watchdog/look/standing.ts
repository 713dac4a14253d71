interface Place {
  readonly position: number
  readonly hasWork: boolean
  readonly sinceMs: number
  /** It was there at the first look. */
  readonly isFirst: boolean
}

export interface Stood {
  /** Between looks at which it had work and was where it is; 0 where there was no such look before. */
  readonly standsSeconds: number
  /** It was found like that at the first look: it may have stood for longer. */
  readonly stoodBefore?: true
}

/** For how long positions have stood still although there was work. Pure. */
export class Standing {
  #places = new Map<string, Place>()
  #seen = new Map<string, Place>()

  /**
   * @param name of what stands or moves
   * @param hasWork something waits for it at this look
   */
  see(name: string, { position, hasWork }: Pick<Place, 'position' | 'hasWork'>, nowMs: number): Stood {
    const before = this.#places.get(name)
    const stands = hasWork && before?.hasWork === true && before.position === position
    const sinceMs = stands ? before.sinceMs : nowMs
    const isFirst = hasWork && (before === undefined || (stands && before.isFirst))
    this.#seen.set(name, { position, hasWork, sinceMs, isFirst })
    return { standsSeconds: (nowMs - sinceMs) / 1_000, ...(isFirst && { stoodBefore: true }) }
  }

  /** After the last `see` of a look: what was not seen is forgotten. */
  lookEnds(): void {
    this.#places = this.#seen
    this.#seen = new Map()
  }
}
