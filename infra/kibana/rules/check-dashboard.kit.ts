import { z } from 'zod'
import { GRID_COLUMNS } from '../describe/dashboard.ts'
import { jsonText, kqlSchema, type ReadObject, type Tell, tellShape, titleSchema } from './envelope.kit.ts'

const cell = z.int().min(0)
const size = z.int().min(1)

const panelSchema = z.strictObject({
  type: z.literal('lens'),
  panelIndex: z.string().min(1),
  gridData: z.strictObject({ x: cell, y: cell, w: size, h: size, i: z.string() }),
  embeddableConfig: z.strictObject({ enhancements: z.strictObject({}) }),
  panelRefName: z.string(),
})

type PlacedPanel = z.infer<typeof panelSchema>

/** Keys that the schema of Kibana does not have are refused. */
const dashboardSchema = z.strictObject({
  title: titleSchema,
  description: z.string(),
  panelsJSON: jsonText(z.array(panelSchema).min(1)),
  optionsJSON: jsonText(
    z.strictObject({
      useMargins: z.boolean(),
      syncColors: z.boolean(),
      syncCursor: z.boolean(),
      syncTooltips: z.boolean(),
      hidePanelTitles: z.boolean(),
    }),
  ),
  timeRestore: z.literal(true),
  timeFrom: z.string().regex(/^now-\d+[mhd]$/),
  timeTo: z.literal('now'),
  refreshInterval: z.strictObject({ pause: z.boolean(), value: z.int().min(0) }),
  kibanaSavedObjectMeta: z.strictObject({
    searchSourceJSON: jsonText(z.strictObject({ query: kqlSchema, filter: z.tuple([]) })),
  }),
})

export function checkDashboard({ attributes, references }: ReadObject, tell: Tell): void {
  const dashboard = tellShape(dashboardSchema, attributes, tell)
  if (dashboard === undefined) return
  const panels = dashboard.panelsJSON
  tellReferences(panels, references, tell)
  tellGrid(panels, tell)
}

function tellReferences(
  panels: readonly PlacedPanel[],
  references: ReadObject['references'],
  tell: Tell,
): void {
  const wanted = new Set<string>()
  for (const { panelIndex, panelRefName, type, gridData } of panels) {
    if (gridData.i !== panelIndex) tell(`panel ${panelIndex} stands in the grid as ${gridData.i}`)
    const name = `${panelIndex}:panel_${panelIndex}`
    if (wanted.has(name)) tell(`there are two panels ${panelIndex}`)
    wanted.add(name)
    if (panelRefName !== `panel_${panelIndex}`) tell(`panel ${panelIndex} asks for ${panelRefName}`)
    const reference = references.find((one) => one.name === name)
    if (reference === undefined) tell(`panel ${panelIndex} has no reference ${name}`)
    else if (reference.type !== type)
      tell(`panel ${panelIndex} is a ${type} and refers to a ${reference.type}`)
  }
  for (const { name } of references) if (!wanted.has(name)) tell(`no panel uses the reference ${name}`)
}

function tellGrid(panels: readonly PlacedPanel[], tell: Tell): void {
  for (const {
    panelIndex,
    gridData: { x, w },
  } of panels)
    if (x + w > GRID_COLUMNS) tell(`panel ${panelIndex} ends beyond column ${GRID_COLUMNS}`)
  for (const [at, one] of panels.entries())
    for (const other of panels.slice(at + 1))
      if (overlap(one.gridData, other.gridData))
        tell(`panels ${one.panelIndex} and ${other.panelIndex} lie on each other`)
}

function overlap(one: PlacedPanel['gridData'], other: PlacedPanel['gridData']): boolean {
  return (
    one.x < other.x + other.w &&
    other.x < one.x + one.w &&
    one.y < other.y + other.h &&
    other.y < one.y + one.h
  )
}
