import { randomBytes } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { FINDING_KINDS } from '@freshet/records/alert-state.ts'
import type { Silence } from '@freshet/records/control.ts'

/**
 * @param match an alert's id or kind, with `*` for any characters
 * @throws USAGE for one that can match nothing: the silence would be one in name only
 */
export function newSilence(match: string, stamp: Omit<Silence, 'order' | 'id' | 'match'>): Silence {
  const [kind] = match.split('/', 1) as [string]
  if (match.endsWith('/'))
    throw new FreshetError(
      'USAGE',
      `no alert has the id "${match}": ${kind} is all of the kind, ${kind}/<what> one of them`,
    )
  if (!match.includes('*') && !(FINDING_KINDS as readonly string[]).includes(kind))
    throw new FreshetError(
      'USAGE',
      `no alert has the kind or id "${match}"; kinds are ${FINDING_KINDS.join(', ')}`,
    )
  return { order: 'silence', ...stamp, id: randomBytes(4).toString('hex'), match }
}
