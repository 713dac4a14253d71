package peer;

import static org.apache.kafka.streams.CloseOptions.GroupMembershipOperation.LEAVE_GROUP;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;

/**
 * `Main <brokers> <changes topic> <scores topic> <model folder> <rows> <state folder>`. For each application id on
 * standard input it works all rows off from the beginning, in this same warm process, and says what that cost.
 */
public final class Main {
  private static final long ROUND_DEADLINE_SECONDS = 120;

  public static void main(String[] args) throws Exception {
    String brokers = args[0], changes = args[1], scores = args[2];
    Path folder = Path.of(args[3]);
    long rows = Long.parseLong(args[4]);
    JsonNode spec = new ObjectMapper().readTree(folder.resolve("model.json").toFile());
    try (Model model = new Model(Files.readAllBytes(folder.resolve("model.onnx")), spec)) {
      BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
      System.out.println("ready");
      for (String id; (id = commands.readLine()) != null; ) {
        Properties settings = settings(id, brokers, args[5]);
        System.out.println(round(topology(changes, scores, model, spec), settings, rows, model));
      }
    }
  }

  private static Topology topology(String changes, String scores, Model model, JsonNode spec) {
    return new Topology()
        .addSource("changes", changes)
        .addProcessor("score", () -> new ScoreProcessor(model, new FlightFeatures(spec)), "changes")
        .addStateStore(new MicroBatch.Builder(), "score")
        .addSink("scores", scores, "score");
  }

  /** From the moment when its partitions are assigned to the acknowledgement of its last score. */
  private static String round(Topology topology, Properties settings, long rows, Model model)
      throws InterruptedException {
    Acknowledged.expect(rows);
    model.resetSum();
    long[] startedAtNanos = new long[1];
    try (KafkaStreams streams = new KafkaStreams(topology, settings)) {
      streams.setStateListener(
          (now, before) -> {
            if (now == KafkaStreams.State.RUNNING && startedAtNanos[0] == 0)
              startedAtNanos[0] = Acknowledged.processCpuNanos();
          });
      streams.start();
      boolean isDone = Acknowledged.await(ROUND_DEADLINE_SECONDS, TimeUnit.SECONDS);
      streams.close(CloseOptions.timeout(Duration.ofSeconds(20)).withGroupMembershipOperation(LEAVE_GROUP));
      if (!isDone) throw new IllegalStateException("only " + Acknowledged.count() + " of " + rows + " rows");
    }
    long cpuMicros = (Acknowledged.lastAtCpuNanos() - startedAtNanos[0]) / 1_000;
    return "{\"rows\":" + rows + ",\"cpuMicros\":" + cpuMicros + ",\"scoreSum\":" + model.sum() + "}";
  }

  private static Properties settings(String id, String brokers, String stateFolder) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder);
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
    settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 4_000);
    consumer(settings, ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    consumer(settings, ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 4_000);
    consumer(settings, ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 256 * 1024);
    consumer(settings, ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 50);
    consumer(settings, ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 * 1024 * 1024);
    consumer(settings, ConsumerConfig.RECEIVE_BUFFER_CONFIG, 1024 * 1024);
    producer(settings, ProducerConfig.ACKS_CONFIG, "all");
    producer(settings, ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
    producer(settings, ProducerConfig.BATCH_SIZE_CONFIG, 512 * 1024);
    producer(settings, ProducerConfig.LINGER_MS_CONFIG, 50);
    producer(settings, ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, Acknowledged.class.getName());
    return settings;
  }

  private static void consumer(Properties settings, String name, Object value) {
    settings.put(StreamsConfig.consumerPrefix(name), value);
  }

  private static void producer(Properties settings, String name, Object value) {
    settings.put(StreamsConfig.producerPrefix(name), value);
  }
}
