import type { ListedObject, ObjectStore } from '@freshet/ports/object-store.ts'
import { BUNDLE_FILES, type BundleFile } from './bundle.ts'
import type { PushedModel } from './bundle-store.ts'

export interface ListedModel extends PushedModel {
  /** Of its three files. */
  readonly bytes: number
  /** When its last file was written; null while a push is under way, or where one broke off: pushing again completes it. */
  readonly pushedAtMs: number | null
}

/** Every version in the store, whole or not: by name, the latest pushed first. */
export async function listModels(store: ObjectStore, signal?: AbortSignal): Promise<ListedModel[]> {
  const files = (await store.list('models/', signal)).flatMap(asBundleFile)
  const models = Map.groupBy(files, ({ name, version }) => `${name}/${version}`)
  return [...models.values()].map(asModel).sort(byNameThenLatest)
}

interface StoredFile extends PushedModel {
  readonly file: BundleFile
  readonly object: ListedObject
}

/** Pointers lie one level higher, reports of a shadow under `shadow/<name>@<version>/`: no version has an @. */
function asBundleFile(object: ListedObject): StoredFile[] {
  const [, name = '', version = '', last, ...deeper] = object.key.split('/')
  const file = BUNDLE_FILES.find((known) => known === last)
  return file === undefined || deeper.length > 0 || version.includes('@')
    ? []
    : [{ name, version, file, object }]
}

function asModel(files: readonly StoredFile[]): ListedModel {
  const { name, version } = files[0]!
  const isWhole = files.length === BUNDLE_FILES.length
  return {
    name,
    version,
    bytes: files.reduce((sum, { object }) => sum + object.bytes, 0),
    pushedAtMs: isWhole ? Math.max(...files.map(({ object }) => object.modifiedAtMs)) : null,
  }
}

function byNameThenLatest(a: ListedModel, b: ListedModel): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  const [atA, atB] = [a, b].map(({ pushedAtMs }) => pushedAtMs ?? Number.POSITIVE_INFINITY)
  if (atA !== atB) return atB! - atA!
  return a.version < b.version ? -1 : 1
}
