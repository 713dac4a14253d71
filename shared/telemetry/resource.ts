import { hostname } from 'node:os'
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { apmResource } from './documents/apm-fields.ts'
import { DATASET } from './documents/document.ts'
import manifest from './package.json' with { type: 'json' }

export const VERSION = manifest.version

export interface Speaker {
  readonly service: string
  readonly instance: string
  readonly namespace: string
}

/**
 * Who speaks: the resource of all that this process tells. What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say
 * counts more than what we know ourselves. `data_stream.*` tells a collector's exporter where our documents belong.
 */
export function describeResource(
  { service, instance, namespace }: Speaker,
  withApmFields: boolean,
): Resource {
  const own = resourceFromAttributes({
    'service.name': service,
    'service.namespace': 'freshet',
    'service.instance.id': instance,
    'service.version': VERSION,
    'host.name': hostname(),
    'process.pid': process.pid,
    'data_stream.dataset': DATASET,
    'data_stream.namespace': namespace,
  })
  const resource = defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }))
  return withApmFields ? resource.merge(resourceFromAttributes(apmResource(resource.attributes))) : resource
}
