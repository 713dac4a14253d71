import type { AppParts } from '../app-parts.ts'
import { PROMETHEUS_MEDIA_TYPE, prometheusText } from '../metrics/prometheus-text.ts'
import { textReply } from '../reply.ts'
import type { Route } from './route.ts'

/**
 * `GET /metrics`: for Prometheus. Once keys are configured it wants one with the scope `metrics`, also from this machine:
 * behind a proxy everybody comes from there.
 */
export function metricsRoute({ figures }: Pick<AppParts, 'figures'>): Route {
  return {
    method: 'GET',
    path: '/metrics',
    access: 'metrics',
    id: 'metrics',
    summary: 'Figures for Prometheus',
    description:
      'All metrics of this process (docs/reference/metrics.md), how long requests took by route and source, and what Prometheus expects of any process.',
    replies: {
      200: { description: 'Text exposition format 0.0.4.', mediaType: PROMETHEUS_MEDIA_TYPE, schema: null },
    },
    errors: [],
    handle: async () => textReply(prometheusText(await figures()), PROMETHEUS_MEDIA_TYPE),
  }
}
