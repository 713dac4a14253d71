/** KQL as far as our own queries use it: `field : value`, `field : (one or other)`, comparisons, `and`, `or`, `not`, brackets. */

export type Kql =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Kql[] }
  | { readonly kind: 'not'; readonly part: Kql }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'is'; readonly field: string; readonly value: string; readonly isPhrase: boolean }
  | {
      readonly kind: 'range'
      readonly field: string
      readonly operator: RangeOperator
      readonly value: string
    }

type RangeOperator = '<' | '<=' | '>' | '>='

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'phrase'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }

/** @throws SyntaxError that says what stands where something else should. */
export function parseKql(query: string): Kql {
  const reader = new Reader(tokensOf(query), query)
  return reader.isAtEnd() ? { kind: 'all' } : reader.whole()
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|(<=|>=|[:<>()])|((?:[^\s"():<>\\]|\\.)+))/y

function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = []
  const text = query.trimEnd()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) throw new SyntaxError(`${query}: cannot be read from ${text.slice(at).trimStart()}`)
    const [, phrase, sign, word] = match
    if (phrase !== undefined) tokens.push({ kind: 'phrase', text: unescaped(phrase) })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else tokens.push({ kind: 'word', text: unescaped(word!) })
  }
  return tokens
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1')
}

class Reader {
  readonly #tokens: readonly Token[]
  readonly #query: string
  #at = 0

  constructor(tokens: readonly Token[], query: string) {
    this.#tokens = tokens
    this.#query = query
  }

  isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  whole(): Kql {
    const kql = this.#or()
    if (!this.isAtEnd()) throw this.#unexpected('the end')
    return kql
  }

  #or(): Kql {
    const parts = [this.#and()]
    while (this.#takeWord('or')) parts.push(this.#and())
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #and(): Kql {
    const parts = [this.#not()]
    while (this.#takeWord('and')) parts.push(this.#not())
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }

  #not(): Kql {
    if (this.#takeWord('not')) return { kind: 'not', part: this.#not() }
    if (!this.#takeSign('(')) return this.#clause()
    const inner = this.#or()
    if (!this.#takeSign(')')) throw this.#unexpected(')')
    return inner
  }

  #clause(): Kql {
    const field = this.#take('word', 'the name of a field')
    const operator = this.#take('sign', 'an operator')
    if (operator === ':') return this.#is(field)
    if (operator !== '<' && operator !== '<=' && operator !== '>' && operator !== '>=')
      throw this.#unexpected('an operator')
    return { kind: 'range', field, operator, value: this.#take('word', 'a number or a date') }
  }

  #is(field: string): Kql {
    if (!this.#takeSign('(')) return this.#isValue(field)
    const parts = [this.#isValue(field)]
    while (this.#takeWord('or')) parts.push(this.#isValue(field))
    if (!this.#takeSign(')')) throw this.#unexpected(')')
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #isValue(field: string): Kql {
    const token = this.#tokens[this.#at]
    if (token === undefined || token.kind === 'sign') throw this.#unexpected('a value')
    this.#at++
    if (token.kind === 'word' && token.text === '*') return { kind: 'exists', field }
    if (token.kind === 'word' && /[*?]/.test(token.text))
      throw new SyntaxError(`${this.#query}: wildcards in a value are not read here`)
    return { kind: 'is', field, value: token.text, isPhrase: token.kind === 'phrase' }
  }

  #takeWord(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || token.text.toLowerCase() !== text) return false
    this.#at++
    return true
  }

  #takeSign(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== text) return false
    this.#at++
    return true
  }

  #take(kind: Token['kind'], what: string): string {
    const token = this.#tokens[this.#at]
    if (token?.kind !== kind) throw this.#unexpected(what)
    this.#at++
    return token.text
  }

  #unexpected(wanted: string): SyntaxError {
    const found = this.#tokens[this.#at]?.text ?? 'the end'
    return new SyntaxError(`${this.#query}: ${found} stands where ${wanted} should`)
  }
}

/** Every field that a query asks about. */
export function fieldsOfKql(kql: Kql): readonly string[] {
  switch (kql.kind) {
    case 'all':
      return []
    case 'and':
    case 'or':
      return kql.parts.flatMap(fieldsOfKql)
    case 'not':
      return fieldsOfKql(kql.part)
    default:
      return [kql.field]
  }
}
