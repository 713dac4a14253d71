/** The demo's model by hand: what its features are is written down here once more, as somebody would without Freshet. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'

interface Spec {
  readonly inputs: { readonly tensor: string; readonly columns: readonly Column[] }
  readonly outputs: readonly { readonly tensor: string; readonly column: number }[]
}

interface Column {
  readonly name: string
  readonly default?: number
  readonly categories?: readonly string[]
  readonly timeZone?: string
}

export interface BareDocument {
  readonly dep_delay?: number
  readonly scheduled_minutes: number
  readonly distance: number
  readonly carrier: string
  readonly origin: string
  readonly dest: string
  readonly scheduled_departure: string
  readonly weather?: Readonly<Record<string, number>>
}

const WEATHER = ['wind_speed', 'wind_gust', 'precip', 'visib', 'pressure'] as const
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** @returns a score for each document, in one call of the model */
export async function openBareModel(
  folder: string,
): Promise<(documents: readonly BareDocument[]) => Promise<number[]>> {
  const { inputs, outputs }: Spec = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
  const session = await InferenceSession.create(readFileSync(join(folder, 'model.onnx')), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  })
  const output = outputs[0]!
  const width = inputs.columns.length
  const featuresOf = featuresBy(new Map(inputs.columns.map((column) => [column.name, column])))
  return async (documents) => {
    const rows = new Float32Array(documents.length * width)
    for (const [row, document] of documents.entries()) rows.set(featuresOf(document), row * width)
    const feeds = { [inputs.tensor]: new Tensor('float32', rows, [documents.length, width]) }
    const scores = (await session.run(feeds, [output.tensor]))[output.tensor]!
    const stride = scores.dims[1] ?? 1
    return documents.map((_, row) => scores.data[row * stride + output.column] as number)
  }
}

function featuresBy(columns: ReadonlyMap<string, Column>): (document: BareDocument) => number[] {
  const category = (name: string) => {
    const numbers = new Map(columns.get(name)!.categories!.map((text, number) => [text, number]))
    return (text: string) => numbers.get(text) ?? -1
  }
  const [carrier, origin, dest] = [category('carrier'), category('origin'), category('dest')]
  const missing = (name: string) => columns.get(name)!.default!
  const timeOf = localTime(columns.get('departure_minuteOfDay')!.timeZone!)
  return (document) => {
    const { minuteOfDay, weekday } = timeOf(document.scheduled_departure)
    return [
      document.dep_delay ?? missing('dep_delay'),
      document.scheduled_minutes,
      document.distance,
      carrier(document.carrier),
      origin(document.origin),
      dest(document.dest),
      minuteOfDay,
      weekday,
      ...WEATHER.map((name) => document.weather?.[name] ?? missing(name)),
    ]
  }
}

function localTime(timeZone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  return (time: string) => {
    const text = format.format(new Date(time)) // e.g. `Mon, 07:05` or `Mon 07:05`
    const [hour, minute] = text.slice(-5).split(':')
    return { minuteOfDay: Number(hour) * 60 + Number(minute), weekday: WEEKDAYS.indexOf(text.slice(0, 3)) }
  }
}
