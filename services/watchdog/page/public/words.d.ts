import type { StageName } from '../view/page-state.ts'

export function count(amount: number): string
export function bytes(bytes: number): string
export function rate(perSecond: number): string
export function percent(part: number): string
export function duration(seconds: number): string
export function plural(amount: number, one: string, many?: string): string
export function measured(value: number, unit: string): string
export const STAGES: Readonly<
  Record<
    StageName,
    { readonly title: string; readonly does: string; readonly unit: string; readonly waiting: string }
  >
>
