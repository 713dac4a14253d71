import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly body: Buffer
  readonly mediaType: string
  /** Of this content, for browsers that have it. */
  readonly tag: string
}

/** What the page is made of, by the path that a browser asks for. There are no others. */
const SCRIPTS = [
  'theme.js',
  'page.js',
  'dom.js',
  'draw.js',
  'draw-alerts.js',
  'cards/card.js',
  'cards/answers.js',
  'cards/instances.js',
  'cards/model.js',
  'cards/positions.js',
  'cards/snapshot.js',
  'draw-flow.js',
  'parts.js',
  'sparkline.js',
  'words.js',
]
const STYLES = ['page.css', 'sparkline.css', 'alerts.css', 'flow.css', 'cards/cards.css', 'narrow.css']
const FILES: Readonly<Record<string, readonly [file: string, mediaType: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
  ...allOf(SCRIPTS, 'text/javascript; charset=utf-8'),
  ...allOf(STYLES, 'text/css; charset=utf-8'),
}

function allOf(files: readonly string[], mediaType: string): Record<string, [string, string]> {
  return Object.fromEntries(files.map((file) => [`/${file}`, [file, mediaType]]))
}

/** Read once: they are small, and a page must not change under those who look. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const folder = join(import.meta.dirname, '..', 'public')
  return new Map(
    Object.entries(FILES).map(([path, [file, mediaType]]) => {
      const body = readFileSync(join(folder, file))
      return [path, { body, mediaType, tag: `"${hash('sha256', body).slice(0, 16)}"` }]
    }),
  )
}
