import type { GroupConsumerOptions } from '@freshet/adapters/kafka/group/group-options.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { leaveSpan, messagingSpan } from '@freshet/telemetry/spans.ts'

/** Leaves a span for each request that commits offsets: one for the work of about a second. */
export function commitSpans(
  { telemetry }: Pick<ServiceContext, 'telemetry'>,
  { topic, groupId: group }: Pick<GroupConsumerOptions, 'topic' | 'groupId'>,
): NonNullable<GroupConsumerOptions['onCommit']> {
  return (commit) => void leaveSpan(telemetry.tracer, messagingSpan('commit', { topic, group }), commit)
}
