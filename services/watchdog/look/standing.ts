interface Place {
  readonly position: number
  readonly hasWork: boolean
  readonly sinceMs: number
}

/** For how long positions have stood still although there was work. Pure. */
export class Standing {
  #places = new Map<string, Place>()
  #seen = new Map<string, Place>()

  /**
   * @param name of what stands or moves
   * @param hasWork something waits for it at this look
   * @returns seconds between looks at which it had work and was where it is; 0 where there was no such look before
   */
  see(name: string, { position, hasWork }: Pick<Place, 'position' | 'hasWork'>, nowMs: number): number {
    const before = this.#places.get(name)
    const stands = hasWork && before?.hasWork === true && before.position === position
    const sinceMs = stands ? before.sinceMs : nowMs
    this.#seen.set(name, { position, hasWork, sinceMs })
    return (nowMs - sinceMs) / 1_000
  }

  /** After the last `see` of a look: what was not seen is forgotten. */
  lookEnds(): void {
    this.#places = this.#seen
    this.#seen = new Map()
  }
}
