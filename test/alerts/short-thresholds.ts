import { RULE_NAMES, type RuleName } from '@freshet/config/alert-rules.ts'

/** In seconds. A heartbeat comes every three; what a part leaves undone shows after it was missed, as by default. */
const THRESHOLDS: Partial<Record<RuleName, number>> = {
  silent: 10,
  'capture-behind': 20,
  lag: 20,
  stall: 20,
  'snapshot-stale': 20,
}
const FOR_SECONDS = 1

/** Settings under which what takes minutes is told after seconds. The rules are the same. */
export const SHORT: Readonly<Record<string, string>> = {
  FRESHET_WATCHDOG_INTERVAL_SECONDS: '0.5',
  FRESHET_WATCHDOG_SERVER_INTERVAL_SECONDS: '1',
  FRESHET_WATCHDOG_RESOLVE_SECONDS: '2',
  FRESHET_MODEL_POINTER_INTERVAL_MS: '500',
  ...Object.fromEntries(
    RULE_NAMES.filter((rule) => rule !== 'drift').flatMap((rule) => [
      [variable(rule, 'FOR_SECONDS'), `${FOR_SECONDS}`],
      ...(rule in THRESHOLDS ? [[variable(rule, 'THRESHOLD'), `${THRESHOLDS[rule]}`]] : []),
    ]),
  ),
}

function variable(rule: RuleName, name: string): string {
  return `FRESHET_WATCHDOG_RULES_${rule.replaceAll('-', '_').toUpperCase()}_${name}`
}
