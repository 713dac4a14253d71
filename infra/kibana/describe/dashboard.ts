import type { Panel } from './panel.ts'

/** Columns of Kibana's grid. */
export const GRID_COLUMNS = 48

export interface Placed {
  readonly panel: Panel
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface Dashboard {
  readonly title: string
  readonly description: string
  readonly placed: readonly Placed[]
}

export interface Row {
  /** In rows of Kibana's grid, about 20 pixels each. */
  readonly height: number
  /** They share the width evenly. */
  readonly panels: readonly Panel[]
}

/** Rows of panels from the top, side by side without gaps. */
export function placeRows(rows: readonly Row[]): readonly Placed[] {
  let y = 0
  return rows.flatMap(({ height: h, panels }) => {
    const edges = panels.map((_, index) => Math.round((index * GRID_COLUMNS) / panels.length))
    const placed = panels.map((panel, index) => {
      const x = edges[index]!
      return { panel, x, y, w: (edges[index + 1] ?? GRID_COLUMNS) - x, h }
    })
    y += h
    return placed
  })
}
