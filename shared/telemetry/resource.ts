import { hostname } from 'node:os'
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import manifest from './package.json' with { type: 'json' }

export const VERSION = manifest.version

/** Who speaks: the resource of every span and log of this process. */
export function describeResource(service: string, instance: string): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      'service.name': service,
      'service.namespace': 'freshet',
      'service.instance.id': instance,
      'service.version': VERSION,
      'host.name': hostname(),
      'process.pid': process.pid,
    }),
  )
}
