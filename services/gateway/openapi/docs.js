// Adds to each operation a form that sends it to this gateway. The key stays in this page's memory.

const EXAMPLES = {
  getScores: '{\n  "keys": ["flights/1", "flights/2"]\n}',
  predict: '{\n  "document": {},\n  "key": "flights/1"\n}',
  rank: '{\n  "template": "",\n  "parameters": {},\n  "top": 10\n}',
}
const SHOWN_HEADERS = ['age', 'cache-status', 'server-timing', 'allow', 'retry-after']

const key = field('API key, where keys are configured', 'password')
document.querySelector('header').append(key.label)

for (const section of document.querySelectorAll('section[data-method]')) addForm(section)

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
    body.input.value = EXAMPLES[section.id] ?? '{}'
    body.input.rows = 5
    form.append(body.label)
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
