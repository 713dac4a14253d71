import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DASHBOARD_ID, DATA_VIEW_IDS, SESSION_IDS } from '../object-ids.ts'
import { checkExport } from '../rules/check-export.kit.ts'
import { savedObjects, toNdjson } from './export.ts'
import { EXPORT_FILE } from './file.ts'

test('the file that people import is what the descriptions say (else: npm run reference)', () => {
  expect(readFileSync(EXPORT_FILE, 'utf8')).toBe(toNdjson(savedObjects()))
})

test('it keeps every rule of an import that is known', () => {
  expect(checkExport(readFileSync(EXPORT_FILE, 'utf8'))).toEqual([])
})

test('whatever links lead to is in it', () => {
  const there = new Set(savedObjects().map(({ type, id }) => `${type} ${id}`))
  const wanted = [
    ...Object.values(DATA_VIEW_IDS).map((id) => `index-pattern ${id}`),
    ...Object.values(SESSION_IDS).map((id) => `search ${id}`),
    `dashboard ${DASHBOARD_ID}`,
  ]
  expect(wanted.filter((name) => !there.has(name))).toEqual([])
})
