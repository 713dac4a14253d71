import { FreshetError } from '@freshet/errors/errors.ts'
import { FINDING_KINDS } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Command } from 'commander'
import { readAlertList } from '../alerts/alert-list.ts'
import { giveOrder, takeBack, whoAsks } from '../alerts/control-topic.ts'
import { describeAlerts, describeMessages } from '../alerts/describe-alerts.ts'
import { recordHistory, testRules } from '../alerts/history.ts'
import { newSilence } from '../alerts/new-silence.ts'
import { duration } from '../arguments.ts'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { timeOf } from '../text.ts'

const SOMETHING_FIRES = 1
const NOTHING_DONE = 1
/** An order that is forgotten must end while somebody still knows why it was given. */
const MOST_DAYS = 30

interface OrderOptions {
  readonly for: number
  readonly reason: string
  readonly by?: string
}

/** What fires, what is silenced, and what a rule would have said. */
export function alertsCommand(): Command {
  return new Command('alerts')
    .description('show alerts, silence them, test rules against a recorded history')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(silenceCommand())
    .addCommand(unsilenceCommand())
    .addCommand(maintenanceCommand())
    .addCommand(testCommand())
    .addCommand(recordCommand())
}

function listCommand(): Command {
  return new Command('list')
    .description('alerts that fire, that may fire soon, and that are just over; silences and maintenance')
    .addHelpText(
      'after',
      `
What is silenced is listed too, with why nobody is told.
Exit code: 0 when nothing fires, 1 when something does or no watchdog lives, 2 when it cannot be read now.`,
    )
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        const list = await readAlertList(settings, signal)
        process.stdout.write(json ? `${JSON.stringify(list)}\n` : describeAlerts(list))
        const isWell = list.watchdogs.length > 0 && list.alerts.every(({ phase }) => phase !== 'firing')
        return isWell ? 0 : SOMETHING_FIRES
      })
    })
}

function silenceCommand(): Command {
  return withOrderOptions(new Command('silence'))
    .description('let nobody be told of an alert for a while; it is still listed and counted')
    .argument('<pattern>', 'an alert’s id or kind, * for any characters: lag, silent/*, lag/air-infer')
    .addHelpText(
      'after',
      `
Kinds: ${FINDING_KINDS.join(', ')}.
Put a pattern with * into quotes. That an alert is over is told all the same, to people who were told that it fires.
Exit code: 0 when it is ordered, 2 when it cannot be written now.`,
    )
    .action(async (pattern: string, options: OrderOptions, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        const order = newSilence(pattern, stampOf(options))
        await giveOrder(settings, order, signal)
        const text = `silence ${order.id} of ${pattern} until ${timeOf(order.untilMs)}; take it back with: freshet alerts unsilence ${order.id}`
        process.stdout.write(`${json ? JSON.stringify(order) : text}\n`)
        return 0
      })
    })
}

function unsilenceCommand(): Command {
  return new Command('unsilence')
    .description('take a silence back; what fires still is told then')
    .argument('<id>', 'as `freshet alerts list` shows it')
    .addHelpText(
      'after',
      '\nExit code: 0 when it is taken back, 1 when there is no such silence in force, 2 when it cannot be written now.',
    )
    .action(async (id: string, _: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        const isMeant = (one: Order) => one.order === 'silence' && one.id === id
        const order = await takeBack(settings, isMeant, signal)
        return report(json, order, `silence ${id} is taken back`, `there is no silence ${id} in force`)
      })
    })
}

function maintenanceCommand(): Command {
  const on = withOrderOptions(new Command('on'))
    .description('let nobody be told of anything until the time is over')
    .action(async (options: OrderOptions, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        const order: Order = { order: 'maintenance', ...stampOf(options) }
        await giveOrder(settings, order, signal)
        const text = `maintenance until ${timeOf(order.untilMs)}; end it with: freshet alerts maintenance off`
        process.stdout.write(`${json ? JSON.stringify(order) : text}\n`)
        return 0
      })
    })
  const off = new Command('off')
    .description('end it before its time; what fires still is told then')
    .addHelpText(
      'after',
      '\nExit code: 0 when it is ended, 1 when there was none, 2 when it cannot be written now.',
    )
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        const order = await takeBack(settings, (one) => one.order === 'maintenance', signal)
        return report(json, order, 'maintenance is over', 'there was no maintenance')
      })
    })
  return new Command('maintenance')
    .description('the switch for times when the pipeline is worked on')
    .addCommand(on)
    .addCommand(off)
}

function testCommand(): Command {
  return new Command('test')
    .description('say which alerts rules would have raised, and when, in a recorded history')
    .argument('<rules>', 'YAML or JSON: rules as they stand under watchdog.rules, or a whole freshet.yaml')
    .requiredOption('--history <file>', 'what `freshet alerts record` wrote: a look a line')
    .addHelpText(
      'after',
      `
Times between looks are those of the history; watchdog.resolveSeconds and watchdog.repeatHours are those of your settings.
Exit code: 0 when the rules and the history could be read, whatever fires; 2 when not.`,
    )
    .action((rules: string, { history }: { readonly history: string }, command: Command) => {
      const { settings, json } = readInvocation(command)
      const { messages, looks } = testRules(rules, history, settings)
      process.stdout.write(
        json ? `${JSON.stringify({ looks, messages })}\n` : describeMessages(messages, { looks }),
      )
    })
}

function recordCommand(): Command {
  return new Command('record')
    .description('write what a watchdog sees, a look a line, for `freshet alerts test`')
    .requiredOption('--for <time>', '90s, 30m, 2h or 1d', duration({ mostDays: 7 }))
    .addHelpText(
      'after',
      `
It looks as a watchdog does, every watchdog.intervalSeconds, and tells nobody: freshet alerts record --for 10m > history.ndjson
Exit code: 0 also when it is stopped before its time; what is written is whole.`,
    )
    .action(async ({ for: forMs }: { readonly for: number }, command: Command) => {
      const { settings } = readInvocation(command)
      process.exitCode = await interruptible(async (signal) => {
        await recordHistory(settings, { forMs, out: process.stdout }, signal)
        return 0
      })
    })
}

function withOrderOptions(command: Command): Command {
  return command
    .requiredOption('--for <time>', '90s, 30m, 2h or 3d', duration({ mostDays: MOST_DAYS }))
    .requiredOption('--reason <text>', 'why, for whoever reads the list')
    .option('--by <name>', 'who orders it (default: you)')
}

function stampOf({ for: forMs, reason, by = whoAsks() }: OrderOptions) {
  if (reason.trim() === '') throw new FreshetError('USAGE', '--reason: say why, for whoever reads the list')
  if (by.trim() === '') throw new FreshetError('USAGE', '--by: say who, or leave it out: then it is you')
  const atMs = systemClock.nowMs()
  return { version: 1, by, reason, atMs, untilMs: atMs + forMs } as const
}

/** @param order undefined where there was none to take back */
function report(json: boolean, order: Order | undefined, done: string, none: string): number {
  const text = json ? JSON.stringify({ takenBack: order ?? null }) : order === undefined ? none : done
  process.stdout.write(`${text}\n`)
  return order === undefined ? NOTHING_DONE : 0
}
