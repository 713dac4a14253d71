import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { savedObjects, toNdjson } from './export.ts'

/** The file that is imported, and that people can import by hand. `npm run reference` writes it. */
export const EXPORT_FILE = fileURLToPath(new URL('../freshet.ndjson', import.meta.url))

export function writeExport(): void {
  writeFileSync(EXPORT_FILE, toNdjson(savedObjects()))
}
