// Elements, and how a picture becomes the next one without what has not changed being touched: what is open stays open,
// what is scrolled stays scrolled, and screen readers hear what is new.

const SVG = 'http://www.w3.org/2000/svg'
const SVG_TAGS = new Set(['svg', 'path', 'line', 'rect', 'title'])

/** @param {string} tag @param {Record<string, unknown>} attributes without a value: left out */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  element.append(
    ...children
      .flat(Number.POSITIVE_INFINITY)
      .filter((child) => child !== null && child !== undefined && child !== false),
  )
  return element
}

/** Makes `old` what `next` is. */
function morph(old, next) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) return old.replaceWith(next)
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data
    return
  }
  morphAttributes(old, next)
  morphChildren(old, [...next.childNodes])
}

export function morphChildren(parent, children) {
  const before = [...parent.childNodes]
  for (const [at, child] of children.entries())
    if (before[at] === undefined) parent.append(child)
    else morph(before[at], child)
  for (const left of before.slice(children.length)) left.remove()
}

function morphAttributes(old, next) {
  for (const { name } of [...old.attributes])
    if (!next.hasAttribute(name) && name !== 'open') old.removeAttribute(name)
  for (const { name, value } of next.attributes)
    if (old.getAttribute(name) !== value && name !== 'open') old.setAttribute(name, value)
}
