import { ALERT_RULES, RULE_NAMES, type RuleName } from '@freshet/config/alert-rules.ts'

/** In seconds. A heartbeat comes every three; what a part leaves undone shows after it was missed, as by default. */
const THRESHOLDS: Partial<Record<RuleName, number>> = {
  silent: 10,
  'capture-behind': 20,
  lag: 20,
  stall: 20,
  'snapshot-stale': 20,
}
const FOR_SECONDS = 1
/** Of what is a share of the answers: those of a gateway that has just begun are late for a moment on a busy machine. */
const SHARE_FOR_SECONDS = 10

/** Settings under which what takes minutes is told after seconds. The rules are the same. */
export const SHORT: Readonly<Record<string, string>> = {
  FRESHET_WATCHDOG_INTERVAL_SECONDS: '0.5',
  FRESHET_WATCHDOG_SERVER_INTERVAL_SECONDS: '1',
  FRESHET_WATCHDOG_RESOLVE_SECONDS: '2',
  FRESHET_MODEL_POINTER_INTERVAL_MS: '500',
  ...Object.fromEntries(
    RULE_NAMES.filter((rule) => rule !== 'drift').flatMap((rule) => [
      [variable(rule, 'FOR_SECONDS'), `${isShare(rule) ? SHARE_FOR_SECONDS : FOR_SECONDS}`],
      ...(rule in THRESHOLDS ? [[variable(rule, 'THRESHOLD'), `${THRESHOLDS[rule]}`]] : []),
    ]),
  ),
}

function isShare(rule: RuleName): boolean {
  const defaults = ALERT_RULES[rule]
  return 'threshold' in defaults && defaults.threshold.unit === 'share'
}

function variable(rule: RuleName, name: string): string {
  return `FRESHET_WATCHDOG_RULES_${rule.replaceAll('-', '_').toUpperCase()}_${name}`
}
