import type { ListedModel } from '@freshet/model/bundle/list-models.ts'
import type { ModelPointer, Promotion } from '@freshet/model/bundle/model-pointer.ts'
import type { ShadowPointer } from '@freshet/model/bundle/shadow-pointer.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { timeOf } from '../text.ts'

export interface ModelWithRoles extends ListedModel {
  readonly isCurrent: boolean
  readonly isShadow: boolean
  /** Of the model that is current, or the last one that it had; null where it never was, or long ago. */
  readonly generation: number | null
  readonly promotedAtMs: number | null
  /** Rollbacks from now until it is current; null where none leads to it. */
  readonly rollbacks: number | null
}

/** A model that a pointer names and that is no longer there is listed too: that is worth knowing. */
export function withRoles(
  models: readonly ListedModel[],
  current: ModelPointer | null,
  shadow: ShadowPointer | null,
): ModelWithRoles[] {
  const promotions = current === null ? [] : [current, ...current.previous]
  const named = [...promotions, ...(shadow === null ? [] : [shadow])]
  const gone = named
    .map(({ name, modelVersion: version }) => ({ name, version, bytes: 0, pushedAtMs: null }))
    .filter((model) => !models.some((there) => isSame(there, model)))
  const all = [...models, ...gone.filter((model, at) => gone.findIndex((one) => isSame(one, model)) === at)]
  return all.map((model) => {
    const at = promotions.findIndex((promotion) => isOf(promotion, model))
    return {
      ...model,
      isCurrent: at === 0,
      isShadow: shadow !== null && isOf(shadow, model),
      generation: promotions[at]?.generation ?? null,
      promotedAtMs: promotions[at]?.promotedAtMs ?? null,
      rollbacks: at > 0 ? at : null,
    }
  })
}

type Version = Pick<ListedModel, 'name' | 'version'>

function isSame(a: Version, b: Version): boolean {
  return a.name === b.name && a.version === b.version
}

function isOf(
  { name, modelVersion: version }: Pick<Promotion, 'name' | 'modelVersion'>,
  model: Version,
): boolean {
  return isSame({ name, version }, model)
}

export function describeModels(models: readonly ModelWithRoles[]): string {
  if (models.length === 0) return 'no model is pushed: `freshet model push <folder>`\n'
  const width = Math.max(...models.map((model) => modelLabel(model).length))
  return models.map((model) => `  ${modelLabel(model).padEnd(width)}  ${describeModel(model)}\n`).join('')
}

function describeModel(model: ModelWithRoles): string {
  const { bytes, pushedAtMs, isCurrent, isShadow, generation, promotedAtMs, rollbacks } = model
  const stored =
    bytes === 0
      ? 'GONE from the store'
      : pushedAtMs === null
        ? 'incomplete: push it again'
        : `pushed ${timeOf(pushedAtMs)}, ${(bytes / 1e6).toFixed(1)} MB`
  return [
    stored,
    ...(isCurrent ? [`CURRENT since ${timeOf(promotedAtMs!)}, generation ${generation}`] : []),
    ...(rollbacks === null ? [] : [`${rollbacks === 1 ? 'a rollback' : `${rollbacks} rollbacks`} away`]),
    ...(isShadow ? ['shadow'] : []),
  ].join('; ')
}
