/**
 * One thing for each name, or for each label of it; made when it is first asked for. It is found without a text made of both,
 * which would have to be hashed anew for each count.
 */
export class ByLabel<T, Name extends string = string> {
  /** By `name` or `name.label`. */
  readonly all = new Map<string, T>()
  readonly #labels = new Map<Name, Map<string, T>>()
  readonly #make: (name: Name) => T

  constructor(make: (name: Name) => T) {
    this.#make = make
  }

  of(name: Name, label?: string): T {
    const known = label === undefined ? this.all.get(name) : this.#labels.get(name)?.get(label)
    return known ?? this.#add(name, label)
  }

  #add(name: Name, label: string | undefined): T {
    const made = this.#make(name)
    this.all.set(label === undefined ? name : `${name}.${label}`, made)
    if (label === undefined) return made
    const labels = this.#labels.get(name) ?? new Map<string, T>()
    this.#labels.set(name, labels.set(label, made))
    return made
  }

  /** @returns the keys of what was forgotten */
  forgetLabels(name: Name): readonly string[] {
    const keys = [...(this.#labels.get(name)?.keys() ?? [])].map((label) => `${name}.${label}`)
    for (const key of keys) this.all.delete(key)
    this.#labels.delete(name)
    return keys
  }
}
