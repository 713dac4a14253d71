import { prepareNode } from './elasticsearch-node.ts'
import { chooseJdk } from './find-jdk.ts'
import type { Server } from './server.ts'

/** Newest first; the first whose Java is installed is taken. */
const VERSIONS = [
  { version: '9.5.3', java: 21, megabytes: 132 },
  { version: '8.19.7', java: 17, megabytes: 97 },
]
/** Resident: about 1 GB (with 1g 1.3 GB), so that all servers together stay below 1.8 GB. */
const HEAP = '768m'

/** The small distribution, as one node without security on loopback. */
export const elasticsearch: Server = {
  name: 'elasticsearch',
  ports: { client: 9200, inner: 9300 },
  portVariable: 'ELASTICSEARCH_PORT',

  async answers(port, signal) {
    const url = `http://127.0.0.1:${port}/_cluster/health?wait_for_status=yellow&timeout=1s`
    const response = await fetch(url, { signal })
    const { status } = (await response.json()) as { status?: unknown }
    return response.ok && (status === 'yellow' || status === 'green')
  },

  async prepare(site) {
    const jdks = await site.jdks()
    const release =
      VERSIONS.find((choice) => jdks.some(({ major }) => major >= choice.java)) ?? VERSIONS.at(-1)!
    return prepareNode(site, {
      release,
      jdk: chooseJdk(jdks, { atLeast: release.java, purpose: `Elasticsearch ${release.version}` }),
      javaOptions: [`-Xms${HEAP}`, `-Xmx${HEAP}`],
      settings: ['cluster.name: freshet', 'node.name: freshet', 'discovery.type: single-node'],
    })
  },
}
