import type { OpenApiDocument, Operation } from './document.ts'

type Json = Readonly<Record<string, unknown>>

/** The document as a page: whole without its script, which only adds the forms to try it. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const { title, description } = document.info
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<header><h1>${escaped(title)}</h1><p>${prose(description)}</p>
<p><a href="/openapi.json">openapi.json</a></p></header>
<nav aria-label="Operations"><ul>${operations
    .map(
      ({ path, method, operation }) =>
        `<li><a href="#${escaped(operation.operationId)}"><b>${method}</b> <code>${escaped(path)}</code></a></li>`,
    )
    .join('')}</ul></nav>
<main>
${operations.map(operationSection).join('\n')}
<h2 id="schemas">Schemas</h2>
${Object.entries(document.components.schemas).map(schemaSection).join('\n')}
</main>
</body>
</html>
`
}

function operationSection({
  path,
  method,
  operation,
}: {
  path: string
  method: string
  operation: Operation
}): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  const [mediaType, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
  return `<section id="${escaped(operationId)}" data-method="${method}" data-path="${escaped(path)}" data-media-type="${escaped(mediaType ?? '')}">
<h2><b>${method}</b> <code>${escaped(path)}</code></h2>
<p><strong>${escaped(summary)}.</strong> ${prose(description)}${accessNote(operation)}</p>
${parameters.length > 0 ? parameterTable(parameters) : ''}
${content === undefined ? '' : `<h3>Body</h3>${schemaBlock(content.schema)}`}
<h3>Answers</h3>
<dl>${Object.entries(responses)
    .map(
      ([status, response]) =>
        `<dt>${status}</dt><dd>${prose(response.description)}${contentOf(response)}</dd>`,
    )
    .join('')}</dl>
</section>`
}

function accessNote({ security }: Operation): string {
  if (security === undefined) return ''
  const [first] = security as readonly { readonly bearer: readonly string[] }[]
  const scope = first!.bearer[0]
  return scope === undefined
    ? ' Wants any key, where keys are configured.'
    : ` Wants a key with the scope <code>${escaped(scope)}</code>, where keys are configured.`
}

function parameterTable(parameters: readonly Json[]): string {
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const { type = 'string' } = schema as { type?: string }
    return `<tr data-name="${escaped(String(name))}" data-in="${escaped(String(place))}"><td><code>${escaped(String(name))}</code></td><td>${escaped(String(place))}</td><td>${escaped(type)}${required === true ? ', required' : ''}</td><td>${prose(String(description))}</td></tr>`
  })
  return `<h3>Parameters</h3><div class="wide"><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function contentOf({ content }: Json): string {
  const [[mediaType, { schema }] = ['', { schema: {} }]] = Object.entries(
    (content ?? {}) as Record<string, { schema: Json }>,
  )
  if (mediaType === 'application/problem+json') return ` <a href="#schema-Problem">Problem</a>`
  return mediaType === 'application/json' ? schemaBlock(schema) : ` <code>${escaped(mediaType)}</code>`
}

function schemaSection([name, schema]: [string, unknown]): string {
  return `<section id="schema-${escaped(name)}"><h3>${escaped(name)}</h3>${schemaBlock(schema as Json)}</section>`
}

/** As JSON, with references as links. */
function schemaBlock(schema: Json): string {
  const text = escaped(JSON.stringify(schema, null, 2))
  const linked = text.replaceAll(
    /&quot;#\/components\/schemas\/(\w+)&quot;/g,
    '&quot;<a href="#schema-$1">$1</a>&quot;',
  )
  return `<pre><code>${linked}</code></pre>`
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
