// Adds to each operation a form that sends it to this gateway. The key stays in this page's memory.

const EXAMPLES = {
  getScores: { keys: ['flights/1', 'flights/2'] },
  predict: { document: {}, key: 'flights/1' },
  rank: { template: 'name of a template', parameters: {}, top: 10 },
}
const HINTS = {
  predict: 'The document wants the fields that the columns of GET /v1/model look at.',
  rank: 'Templates are those of gateway.rank.templates: whoever names another is told which there are.',
}
const SHOWN_HEADERS = ['age', 'cache-status', 'server-timing', 'allow', 'retry-after']

const key = field('API key, where keys are configured', 'password')
document.querySelector('header').append(key.label)

for (const section of document.querySelectorAll('section[data-method]')) addForm(section)
fillDocument()
key.input.addEventListener('change', fillDocument)

/** Puts a document that the model can score into the form of predict, unless somebody has written there. */
async function fillDocument() {
  const input = document.querySelector('#predict textarea')
  const before = input?.value
  if (before !== pretty(JSON.stringify(EXAMPLES.predict))) return
  const headers = key.input.value === '' ? {} : { 'x-api-key': key.input.value }
  const reply = await fetch('/v1/model', { headers }).catch(() => null)
  if (!reply?.ok) return // the hint has to do
  const { inputs } = await reply.json()
  if (input.value === before) input.value = pretty(JSON.stringify(exampleFor(inputs.columns)))
}

/** @param columns of a model.json: each looks at a JSON pointer into the document */
function exampleFor(columns) {
  const example = Object.create(null)
  for (const column of columns) {
    const names = column.path.split('/').slice(1)
    const last = names.pop()
    let at = example
    for (const name of names) at = at[plain(name)] ??= Object.create(null)
    at[plain(last)] ??= valueFor(column)
  }
  return { ...EXAMPLES.predict, document: example }
}

function plain(name) {
  return name.replaceAll('~1', '/').replaceAll('~0', '~')
}

function valueFor({ type, categories, clip }) {
  if (type === 'number') return clip?.[0] ?? 1
  if (type === 'boolean') return true
  if (type === 'category') return categories[0]
  return type === 'time' ? '2026-01-31T12:00:00Z' : 'text'
}

/** @param {HTMLElement} section */
function addForm(section) {
  const parameters = [...section.querySelectorAll('tr[data-name]')].map((row) => ({
    ...row.dataset,
    ...field(`${row.dataset.name} (${row.dataset.in})`, 'text'),
  }))
  const form = document.createElement('form')
  const heading = document.createElement('h3')
  heading.textContent = 'Try it'
  form.append(heading, ...parameters.map(({ label }) => label))
  const body = section.dataset.mediaType === '' ? null : field('Body', 'textarea')
  if (body !== null) {
    body.input.value = pretty(JSON.stringify(EXAMPLES[section.id] ?? {}))
    body.input.rows = 8
    form.append(body.label)
    if (HINTS[section.id] !== undefined) form.append(HINTS[section.id])
  }
  const send = document.createElement('button')
  send.textContent = 'Send'
  const answer = document.createElement('pre')
  answer.hidden = true
  answer.setAttribute('aria-live', 'polite')
  form.append(send, answer)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    answer.hidden = false
    answer.textContent = '…'
    answer.textContent = await ask(section.dataset, parameters, body?.input.value)
  })
  section.append(form)
}

async function ask({ method, path, mediaType }, parameters, body) {
  const headers = body === undefined ? {} : { 'content-type': mediaType }
  if (key.input.value !== '') headers['x-api-key'] = key.input.value
  const query = new URLSearchParams()
  let target = path
  for (const { name, in: place, input } of parameters) {
    if (input.value === '') continue
    if (place === 'path') target = target.replace(`{${name}}`, encodeURIComponent(input.value))
    else if (place === 'query') query.set(name, input.value)
    else headers[name] = input.value
  }
  try {
    const reply = await fetch(query.size > 0 ? `${target}?${query}` : target, { method, headers, body })
    const told = SHOWN_HEADERS.filter((name) => reply.headers.has(name)).map(
      (name) => `${name}: ${reply.headers.get(name)}`,
    )
    return [`${reply.status} ${reply.statusText}`, ...told, '', pretty(await reply.text())].join('\n')
  } catch (error) {
    return String(error)
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function field(text, type) {
  const label = document.createElement('label')
  const input = document.createElement(type === 'textarea' ? 'textarea' : 'input')
  if (type !== 'textarea') input.type = type
  input.autocomplete = 'off'
  input.spellcheck = false
  label.append(text, input)
  return { label, input }
}
