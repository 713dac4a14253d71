export interface AuditVerdict {
  readonly passes: boolean
  /** For people. */
  readonly lines: readonly string[]
}

const SERIOUS: ReadonlySet<string> = new Set(['high', 'critical'])

interface Report {
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly severity: string; readonly range: string; readonly fixAvailable: unknown }>
  >
  readonly metadata?: unknown
  readonly error?: { readonly summary?: string }
  readonly message?: string
}

/** @param stdout what `npm audit --json` printed. @param trouble why it did not end by itself */
export function judgeAudit(stdout: string, trouble?: string): AuditVerdict {
  const report = parse(stdout)
  if (report?.vulnerabilities === undefined || report.metadata === undefined)
    return {
      passes: true,
      lines: [
        `AUDIT NOT MADE: the registry did not say what it knows (${trouble ?? report?.message ?? report?.error?.summary ?? 'no report'})`,
      ],
    }
  const found = Object.entries(report.vulnerabilities)
  const lines = found.map(
    ([name, { severity, range, fixAvailable }]) =>
      `${severity}: ${name} ${range}${fixAvailable ? ', which a newer version mends' : ''}`,
  )
  const serious = found.filter(([, { severity }]) => SERIOUS.has(severity)).length
  return {
    passes: serious === 0,
    lines: [
      ...lines,
      `packages of production with known weaknesses: ${found.length}, high or critical: ${serious}`,
    ],
  }
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report
  } catch {
    return undefined
  }
}
