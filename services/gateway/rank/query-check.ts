import type { ParameterSettings } from '@freshet/config/gateway-rank.ts'

/** Checks one place of a query. @throws QueryRefused */
export type Check = (node: unknown, at: string, visit: Visit) => void

/** The query holds something that is not allowed there. */
export class QueryRefused extends Error {
  /** Dotted path within the query. */
  readonly at: string

  constructor(at: string, message: string) {
    super(message)
    this.at = at
  }
}

const MAX_DEPTH = 16
const MAX_CLAUSES = 512
/** In all the lists and single values together: each costs Elasticsearch a look-up, wherever it stands. */
const MAX_VALUES = 4_096

/** One walk through a query: what it may hold, and which parameters it has met. */
export class Visit {
  readonly #parameters: ReadonlyMap<string, ParameterSettings>
  readonly used = new Set<string>()
  #depth = 0
  #clauses = 0
  #values = 0

  /** @param parameters those that may stand in the query; none in one that a caller sends. */
  constructor(parameters: ReadonlyMap<string, ParameterSettings>) {
    this.#parameters = parameters
  }

  refuse(at: string, message: string): QueryRefused {
    return new QueryRefused(at, message)
  }

  deeper(at: string, walk: () => void): void {
    if (++this.#clauses > MAX_CLAUSES) throw this.refuse(at, `more than ${MAX_CLAUSES} clauses`)
    if (++this.#depth > MAX_DEPTH) throw this.refuse(at, `more than ${MAX_DEPTH} clauses within each other`)
    walk()
    this.#depth--
  }

  /** Counts what is in a list, or a value of its own. */
  values(at: string, count: number): void {
    this.#values += count
    if (this.#values > MAX_VALUES) throw this.refuse(at, `more than ${MAX_VALUES} values in one query`)
  }

  /** The name of an object that has one. */
  onlyName(node: unknown, at: string): string {
    const names = Object.keys(this.object(node, at))
    if (names.length !== 1) throw this.refuse(at, 'an object with one name is wanted')
    return names[0]!
  }

  /** An object that is written down: a parameter can never be one, nor bring a name. */
  object(node: unknown, at: string): Readonly<Record<string, unknown>> {
    if (!isObject(node)) throw this.refuse(at, 'an object is wanted')
    if (Object.hasOwn(node, PLACEHOLDER)) throw this.refuse(at, 'no parameter may stand here')
    return node
  }

  /** The parameter that the node stands for; undefined when it is no placeholder. */
  parameterAt(node: unknown, at: string): ParameterSettings | undefined {
    const name = placeholderIn(node)
    if (name === undefined) return undefined
    const parameter = this.#parameters.get(name)
    if (parameter === undefined) throw this.refuse(at, `no parameter is called ${name}`)
    this.used.add(name)
    return parameter
  }
}

const PLACEHOLDER = '$param'

/** `{"$param": "<name>"}`, the node that a parameter's value takes the place of. */
export function placeholderIn(node: unknown): string | undefined {
  if (!isObject(node) || !Object.hasOwn(node, PLACEHOLDER)) return undefined
  const name = node[PLACEHOLDER]
  return Object.keys(node).length === 1 && typeof name === 'string' ? name : undefined
}

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node)
}

/** A string, number or boolean, or a parameter that is one. */
export const value: Check = (node, at, visit) => {
  const parameter = visit.parameterAt(node, at)
  if (parameter === undefined ? !isSingle(node) : parameter.type === 'list')
    throw visit.refuse(at, 'a single value is wanted')
}

/** A list of such, or a parameter that is a list. */
export const values: Check = (node, at, visit) => {
  const parameter = visit.parameterAt(node, at)
  if (parameter === undefined) listOf(value)(node, at, visit)
  else if (parameter.type !== 'list') throw visit.refuse(at, 'a list is wanted')
}

export const number: Check = (node, at, visit) => {
  const parameter = visit.parameterAt(node, at)
  const isNumeric =
    parameter === undefined
      ? typeof node === 'number'
      : parameter.type === 'number' || parameter.type === 'integer'
  if (!isNumeric) throw visit.refuse(at, 'a number is wanted')
}

/** What says how to search and not what for, such as a field's name: written down, never a caller's. */
export const literal: Check = (node, at, visit) => {
  if (!isSingle(node)) throw visit.refuse(at, 'a plain value is wanted, and no parameter')
}

export function oneOf(...words: readonly string[]): Check {
  return (node, at, visit) => {
    if (!words.includes(node as string)) throw visit.refuse(at, `one of ${words.join(', ')} is wanted`)
  }
}

export function listOf(check: Check): Check {
  return (node, at, visit) => {
    if (!Array.isArray(node)) throw visit.refuse(at, 'a list is wanted')
    visit.values(at, node.length)
    for (const [index, one] of node.entries()) check(one, `${at}.${index}`, visit)
  }
}

/** One, or a list of such; or what fits `otherwise`. */
export function oneOrMore(check: Check, otherwise?: Check): Check {
  return (node, at, visit) => {
    if (Array.isArray(node)) listOf(check)(node, at, visit)
    else if (otherwise !== undefined && isObject(node) && placeholderIn(node) === undefined)
      otherwise(node, at, visit)
    else check(node, at, visit)
  }
}

/** An object with these members, and no other; each may be missing, which Elasticsearch judges. */
export function objectOf(members: Readonly<Record<string, Check>>): Check {
  return (node, at, visit) => {
    for (const [name, child] of Object.entries(visit.object(node, at))) {
      const check = Object.hasOwn(members, name) ? members[name] : undefined
      if (check === undefined) throw visit.refuse(`${at}.${name}`, 'nothing of that name is allowed')
      check(child, `${at}.${name}`, visit)
    }
  }
}

/** Every member's value. */
export function eachOf(check: Check): Check {
  return (node, at, visit) => {
    for (const [name, child] of Object.entries(node as object)) check(child, `${at}.${name}`, visit)
  }
}

/**
 * `{"<field>": …, …options}` with one field of any name.
 * @param check of an object beneath the field.
 * @param short of anything else beneath it; left out: `check` has to do.
 */
export function fieldOf(check: Check, short?: Check, options: Readonly<Record<string, Check>> = {}): Check {
  return (node, at, visit) => {
    const members = visit.object(node, at)
    const fields = Object.keys(members).filter((name) => !Object.hasOwn(options, name))
    if (fields.length !== 1) throw visit.refuse(at, `one field is wanted${namesOf(fields)}`)
    for (const [name, child] of Object.entries(members)) {
      const isOption = Object.hasOwn(options, name)
      const isShort = short !== undefined && (!isObject(child) || placeholderIn(child) !== undefined)
      const checkChild = isOption ? options[name]! : isShort ? short : check
      checkChild(child, `${at}.${name}`, visit)
    }
  }
}

function namesOf(fields: readonly string[]): string {
  return fields.length === 0 ? '' : `, not ${fields.join(', ')}`
}

function isSingle(node: unknown): boolean {
  return (
    typeof node === 'string' ||
    typeof node === 'boolean' ||
    (typeof node === 'number' && Number.isFinite(node))
  )
}
