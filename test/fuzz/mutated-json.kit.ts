/** JSON that is still JSON, or nearly, and says something else. */
import fc from 'fast-check'

const DEPTH = 20_000

const VALUES: readonly string[] = [
  ...['null', 'true', '0', '-0', '-1', '1.5', '2147483648', '4294967296', '281474976710656'],
  ...[
    '9007199254740993',
    '8640000000000001',
    '-8640000000000001',
    '1e308',
    '1e999',
    '-1e999',
    '""',
    '"x"',
    '"__proto__"',
    '"constructor"',
    '"toString"',
  ],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"a\\\\b"',
    '"\\x"',
    '{}',
    '[]',
    '[null]',
    '{"a":1}',
    '[[]]',
    '{"__proto__":{"polluted":true}}',
  ],
  ...[
    '{"constructor":{"prototype":{"polluted":true}}}',
    '"NaN"',
    'NaN',
    '"2"',
    '"1e999"',
    '[{}]',
    '{"length":4294967295}',
  ],
  `"${'x'.repeat(70_000)}"`,
  `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`,
  `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`,
]

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|[^\s"{}[\],:]+/g

/** One to three tokens are replaced, left out, or there twice. */
export function mutatedJson(text: string): fc.Arbitrary<string> {
  const tokens = text.match(TOKENS) ?? []
  const change = fc.record({
    at: fc.nat(Math.max(0, tokens.length - 1)),
    to: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
      { weight: 1, arbitrary: fc.constantFrom('', 'twice', ',', '}', ']') },
      { weight: 1, arbitrary: fc.nat(Math.max(0, tokens.length - 1)).map((other) => tokens[other] ?? '') },
    ),
  })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const changed = [...tokens]
    for (const { at, to } of changes) changed[at] = to === 'twice' ? `${changed[at]},${changed[at]}` : to
    return changed.join('')
  })
}

/** Made when it is asked for: some are long. */
export const HOSTILE_TEXTS: readonly { readonly what: string; readonly text: () => string }[] = [
  { what: 'nothing', text: () => '' },
  { what: 'null', text: () => 'null' },
  { what: 'a number', text: () => '1' },
  { what: 'a string', text: () => '"version"' },
  { what: 'an empty list', text: () => '[]' },
  { what: 'an empty object', text: () => '{}' },
  { what: 'NUL', text: () => '\0' },
  { what: 'a byte order mark', text: () => '\ufeff{}' },
  {
    what: 'a prototype',
    text: () => '{"__proto__":{"version":1},"constructor":{"prototype":{"version":1}}}',
  },
  { what: 'a version beyond all', text: () => '{"version":1e999}' },
  { what: 'a version twice', text: () => '{"version":1,"version":"constructor"}' },
  { what: 'lists in lists', text: () => `${'['.repeat(200_000)}${']'.repeat(200_000)}` },
  { what: 'lists in lists without an end', text: () => '['.repeat(200_000) },
  { what: 'objects in objects', text: () => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}` },
  { what: 'a number of many digits', text: () => `{"version":${'9'.repeat(100_000)}}` },
]
