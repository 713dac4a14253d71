import type { ParameterSettings, RankSettings, TemplateSettings } from '@freshet/config/gateway-rank.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type ParameterValue, readParameter } from './parameter.ts'
import { placeholderIn, QueryRefused, Visit } from './query-check.ts'
import { query as queryGrammar, sort as sortGrammar } from './query-grammar.ts'

/** Which documents to rank: what a search needs to know of it. */
export interface PoolQuery {
  readonly index: string
  readonly query: Readonly<Record<string, unknown>>
  /** Left out: by how well they match. */
  readonly sort?: readonly unknown[] | undefined
  /** Documents at most. */
  readonly size: number
  /** Documents that a shard looks at before it stops. */
  readonly terminateAfter?: number | undefined
}

/** A query of the allow-list, into which callers may put values and nothing else. */
export class Template {
  readonly #name: string
  readonly #settings: TemplateSettings
  readonly #index: string
  readonly #parameters: ReadonlyMap<string, ParameterSettings>

  /** @throws CONFIG_INVALID, naming what is not allowed in the template, or the parameter that does not fit */
  constructor(name: string, settings: TemplateSettings, index: string) {
    this.#name = name
    this.#settings = settings
    this.#index = settings.index ?? index
    this.#parameters = new Map(Object.entries(settings.parameters))
    this.#check()
  }

  /**
   * The template with the caller's values in their places.
   * @throws REQUEST_INVALID for a value that is missing, unknown, of another type or out of bounds
   */
  fill(given: Readonly<Record<string, unknown>>): PoolQuery {
    const values = this.#read(given)
    const { query, sort, size, terminateAfter } = this.#settings
    return {
      index: this.#index,
      query: filled(query, values) as Record<string, unknown>,
      sort,
      size,
      terminateAfter,
    }
  }

  #read(given: Readonly<Record<string, unknown>>): Map<string, ParameterValue> {
    for (const name of Object.keys(given))
      if (!this.#parameters.has(name)) throw refused(`${this.#name} has no parameter ${name}`)
    const values = new Map<string, ParameterValue>()
    for (const [name, declared] of this.#parameters) {
      const value = Object.hasOwn(given, name) ? given[name] : declared.default
      if (value === undefined) throw refused(`${this.#name} needs the parameter ${name}`)
      const read = readParameter(declared, value)
      if (!read.ok) throw refused(`parameters.${name}: ${read.wanted} is wanted`)
      values.set(name, read.value)
    }
    return values
  }

  #check(): void {
    const { query, sort } = this.#settings
    const at = `gateway.rank.templates.${this.#name}`
    const visit = new Visit(this.#parameters)
    try {
      queryGrammar(query, 'query', visit)
      if (sort !== undefined) sortGrammar(sort, 'sort', visit)
    } catch (error) {
      if (error instanceof QueryRefused) throw invalid(`${at}.${error.at}: ${error.message}`)
      throw error
    }
    for (const [name, declared] of this.#parameters) {
      if (!visit.used.has(name))
        throw invalid(`${at}.parameters.${name}: the query has no {"$param": "${name}"}`)
      if (declared.default === undefined) continue
      const read = readParameter(declared, declared.default)
      if (!read.ok) throw invalid(`${at}.parameters.${name}.default: ${read.wanted} is wanted`)
    }
  }
}

/** @param index of templates that name none. @throws CONFIG_INVALID */
export function compileTemplates({ templates }: RankSettings, index: string): ReadonlyMap<string, Template> {
  return new Map(Object.entries(templates).map(([name, one]) => [name, new Template(name, one, index)]))
}

/** A copy in which each placeholder is its value; all else is as it was. */
function filled(node: unknown, values: ReadonlyMap<string, ParameterValue>): unknown {
  if (Array.isArray(node)) return node.map((one) => filled(one, values))
  if (typeof node !== 'object' || node === null) return node
  const name = placeholderIn(node)
  if (name !== undefined) return values.get(name)
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, filled(child, values)]))
}

function refused(message: string): FreshetError {
  return new FreshetError('REQUEST_INVALID', message)
}

function invalid(message: string): FreshetError {
  return new FreshetError('CONFIG_INVALID', message)
}
