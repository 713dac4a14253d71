/** Makes the pages of docs/reference from the tables in the code, and what is imported into Kibana. `npm run reference` writes them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALERT_RULES, RULE_NAMES } from '@freshet/config/alert-rules.ts'
import { listSettings, type Setting } from '@freshet/config/describe.ts'
import { ERRORS } from '@freshet/errors/errors.ts'
import { writeExport } from '@freshet/kibana/export/file.ts'
import { TOPICS, type TopicSpec } from '@freshet/records/topics.ts'
import { ATTRIBUTES, SCHEMA_URL } from '@freshet/stage/attributes.ts'
import {
  labelAttribute,
  MAX_OPEN_LABELS,
  METRICS,
  type MetricSpec,
} from '@freshet/telemetry/metrics-table.ts'
import { writeCapacityPage } from './soak/capacity-page.ts'
import { licenceRows } from './supply-chain/licences.ts'

export const REFERENCE_FOLDER = join(import.meta.dirname, '..', 'docs', 'reference')

/** Page text by file name. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'alerts.md': page('Alerts', 'shared/config/alert-rules.ts', alertTable()),
    'attributes.md': page(
      'Attributes of spans, logs and metrics',
      'shared/stage/attributes.ts',
      attributeTable(),
    ),
    'config.md': page('Settings', 'shared/config/schema.ts', configTable()),
    'errors.md': page('Errors', 'shared/errors/errors.ts', errorTable()),
    'licences.md': page('Licences', 'package-lock.json', licenceTable()),
    'metrics.md': page('Metrics', 'shared/telemetry/metrics-table.ts', metricTable()),
    'topics.md': page('Topics', 'shared/records/topics.ts', topicTable()),
  }
}

function page(title: string, source: string, table: string): string {
  return `# ${title}\n\nMade from \`${source}\` by \`npm run reference\`; a test fails when it is stale.\n\n${table}`
}

const ATTRIBUTES_FILE = join(import.meta.dirname, '..', 'shared', 'stage', 'attributes.ts')

/** What stands above a name in the code is its meaning. */
function attributeTable(): string {
  const code = readFileSync(ATTRIBUTES_FILE, 'utf8')
  const entries = [...code.matchAll(/^ {2}(?:\/\*\* ([^\n]*) \*\/\n {2})?(\w+): '([^']+)',$/gm)]
  if (entries.length !== Object.keys(ATTRIBUTES).length)
    throw new Error(`read ${entries.length} attributes in ${ATTRIBUTES_FILE}`)
  const rows = entries.map(([, meaning, , name]) => [
    `\`${name}\``,
    name!.startsWith('freshet.') ? 'Freshet' : 'OpenTelemetry',
    meaning ?? '–',
  ])
  const labels = Object.entries<MetricSpec>(METRICS).flatMap(([name, { label }]) =>
    label === undefined ? [] : [{ attribute: labelAttribute(label), name }],
  )
  const ofMetrics = [...Map.groupBy(labels, ({ attribute }) => attribute)].map(([attribute, metrics]) => [
    `\`${attribute}\``,
    metrics.map(({ name }) => `\`${name}\``).join(', '),
  ])
  return `All of ours begin with \`freshet.\`; the others are OpenTelemetry's and mean what [its conventions](${SCHEMA_URL}) say.

${table(['attribute', 'whose', 'meaning'], rows)}
Metrics carry their label as an attribute:

${table(['attribute', 'metrics'], ofMetrics)}`
}

function alertTable(): string {
  const rows = RULE_NAMES.map((name) => {
    const rule = ALERT_RULES[name]
    const above = 'threshold' in rule ? `${rule.threshold.of} above ${thresholdText(rule.threshold)}` : '–'
    return [`[${name}](../runbooks/${name}.md)`, rule.finds, above, `${rule.forSeconds} s`, rule.severity]
  })
  const preface =
    'The rules of the watchdog. `watchdog.rules.<rule>` sets `enabled`, `threshold`, `forSeconds` and `severity` of each; these are the defaults. Each has a page for who is woken by it.'
  return `${preface}\n\n${table(['rule', 'alerts when', 'threshold', 'for', 'severity'], rows)}`
}

function thresholdText({
  default: value,
  unit,
}: {
  readonly default: number
  readonly unit: string
}): string {
  return unit === 'share' ? `${value * 100} %` : `${value} ${unit}`
}

function configTable(): string {
  const row = ({ path, type, default: value, help, env, secret }: Setting) => [
    `\`${path}\`${secret ? ' (secret)' : ''}`,
    type,
    value === undefined ? '–' : `\`${JSON.stringify(value)}\``,
    help,
    `\`${env}\``,
  ]
  return `Environment over file over running services (\`freshet up\`) over defaults.\n\n${table(['setting', 'type', 'default', 'meaning', 'environment variable'], listSettings().map(row))}`
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { retryable, hint }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    hint,
  ])
  return table(['code', 'does a retry help', 'what to do'], rows)
}

function licenceTable(): string {
  const rows = licenceRows()
  return `The ${rows.length} packages that run in production, and under what each may be used. A test refuses what asks for more than to be named.\n\n${table(['package', 'version', 'licence'], rows)}`
}

function metricTable(): string {
  const rows = Object.entries<MetricSpec>(METRICS).map(([name, { kind, unit, label, help }]) => [
    `\`${name}\``,
    kind,
    `\`${unit}\``,
    label === undefined
      ? '–'
      : `\`${label.name}\`: ${label.values?.join(', ') ?? `whatever there is, up to ${MAX_OPEN_LABELS}`}`,
    help,
  ])
  return table(['metric', 'kind', 'unit', 'label', 'meaning'], rows)
}

function topicTable(): string {
  const rows = Object.values<TopicSpec>(TOPICS).map(
    ({ suffix, cleanupPolicy, settings, partitions, holds }) => [
      `\`<pipeline>${suffix}\``,
      partitions === 'pipeline' ? '`kafka.partitions`' : String(partitions),
      `\`cleanup.policy=${cleanupPolicy}\`${Object.entries(settings)
        .map(([name, value]) => `, \`${name}=${value}\``)
        .join('')}`,
      holds,
    ],
  )
  return table(['topic', 'partitions', 'kept', 'holds'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(referencePages()))
    writeFileSync(join(REFERENCE_FOLDER, name), text)
  writeExport()
  writeCapacityPage()
}
