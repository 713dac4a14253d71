import { loadSettings } from '@freshet/config/load.ts'
import { bootstrap } from '@freshet/up/bootstrap.ts'
import { up } from '@freshet/up/up.ts'
import { Command, Option } from 'commander'
import { interruptSignal } from '../interruptible.ts'
import { homeFolder, readInvocation } from '../invocation.ts'

/** Starts the backing services and lays out topics, bucket and templates. */
export function upCommand(): Command {
  return new Command('up')
    .description('start Kafka, Elasticsearch, Redis and an S3 server here, and prepare them')
    .addOption(
      new Option('--mode <mode>', 'how to run them').choices(['auto', 'docker', 'native']).default('auto'),
    )
    .action(async (options: { mode: 'auto' | 'docker' | 'native' }, command: Command) => {
      loadSettings({ file: command.optsWithGlobals()['config'], env: process.env }) // a wrong setting is told before minutes of work
      const signal = interruptSignal()
      const report = (line: string) => process.stderr.write(`${line}\n`)
      const services = await up({ home: homeFolder(), mode: options.mode, report, signal })
      const { settings, json } = readInvocation(command)
      await bootstrap(settings, report)
      if (json) process.stdout.write(`${JSON.stringify({ ...services, processes: undefined })}\n`)
      else
        process.stdout.write(
          [
            `Kafka          ${services.kafka.brokers.join(', ')}`,
            `Elasticsearch  ${services.elasticsearch.url}`,
            `Redis          ${services.redis.url}`,
            `S3             ${services.s3.endpoint}  bucket ${services.s3.bucket}`,
            'Ready. Next: `npm run freshet -- model push infra/demo/model --promote`, or a model of yours; then',
            '`npm run freshet -- run all`, and `npm run freshet -- down` to stop.\n',
          ].join('\n'),
        )
    })
}
