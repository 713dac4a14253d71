import { z } from 'zod'
import { secret } from './secret.ts'
import { serverAddress } from './server-address.ts'

const address = serverAddress(/^https?$/)

/** Where analysts look. Freshet runs without it. */
export const kibanaSchema = z
  .strictObject({
    url: address
      .optional()
      .describe(
        'Where Freshet reaches Kibana, with the path of its space if there is one; may hold user:password. Data views, sessions and the dashboard are imported there by `freshet up`, `freshet bootstrap` and `freshet kibana import`. None: there is no Kibana.',
      ),
    publicUrl: address
      .optional()
      .describe('Where people reach it: links in alerts and on the status page lead there; else kibana.url.'),
    apiKey: secret.optional().describe('Encoded API key, instead of a user and password in the URL.'),
    waitSeconds: z
      .number()
      .min(0)
      .max(600)
      .default(10)
      .describe('How long an import waits for a Kibana that does not answer yet, or is still starting.'),
  })
  .prefault({})
