import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseJdk } from './find-jdk.ts'
import { type Artifact, copyArtifact } from './maven.ts'
import { checkBooks } from './s3mock-books.ts'
import { type Server, softwareOf } from './server.ts'
import { makeFolderFor } from './unprivileged-user.ts'

const S3MOCK = {
  group: 'com.adobe.testing',
  name: 's3mock',
  version: '5.0.0',
  type: 'jar',
  classifier: 'exec',
  megabytes: 64,
} as const satisfies Artifact

/** What the stores of `freshet up` take; S3Mock takes any, versitygw exactly these. */
export const S3_ACCESS = {
  region: 'us-east-1',
  accessKeyId: 'freshet',
  secretAccessKey: 'freshet-secret',
  bucket: 'freshet',
} as const

/** S3Mock natively, versitygw in Docker. */
export const s3: Server = {
  name: 's3',
  ports: { client: 9000 },
  portVariable: 'S3_PORT',

  /** Unsigned, so that versitygw refuses; but it refuses as S3 does, and S3Mock lists its buckets. */
  async answers(port, signal) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal })
    const text = await response.text()
    return response.ok ? text.includes('<ListAllMyBucketsResult') : text.includes('<Code>AccessDenied</Code>')
  },

  async prepare(site) {
    const jdk = chooseJdk(await site.jdks(), { atLeast: 17, purpose: 'S3Mock' })
    const folder = await softwareOf(site, S3MOCK, (into, maven) => copyArtifact(S3MOCK, into, maven))
    const objects = join(site.dataDir, 'objects')
    makeFolderFor(site.user, objects)
    checkBooks(objects)
    const beans = join(site.dataDir, 'beans.xml')
    writeFileSync(beans, ONE_LISTENER)
    return {
      command: join(jdk.home, 'bin', 'java'),
      args: [
        ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
        ...['-jar', join(folder, `${S3MOCK.name}-${S3MOCK.version}-${S3MOCK.classifier}.jar`)],
        '--server.address=127.0.0.1',
        `--server.port=${site.ports.client}`,
        '--server.ssl.enabled=false',
        `--spring.main.sources=file:${beans}`,
        '--spring.main.allow-bean-definition-overriding=true',
        '--spring.main.banner-mode=off',
        '--logging.level.root=warn',
        `--com.adobe.testing.s3mock.store.root=${objects}`,
        '--com.adobe.testing.s3mock.store.retain-files-on-exit=true',
        // given none, it makes one without a name, and cannot read its own files at the next start
        `--com.adobe.testing.s3mock.store.initial-buckets=${S3_ACCESS.bucket}`,
      ],
    }
  },
}

/**
 * S3Mock opens a second listener on all addresses of the machine, and no setting of its closes it. A web server
 * defined here takes the place of the one that adds it.
 */
const ONE_LISTENER = `<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd">
  <bean id="webServerFactory" class="org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory"/>
</beans>
`
