package peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Counts the scores that Kafka has acknowledged, and reads the CPU clock of the process at the last of them. */
public final class Acknowledged implements ProducerInterceptor<byte[], byte[]> {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final AtomicLong COUNT = new AtomicLong();
  private static volatile long expected;
  private static volatile long lastAtCpuNanos;
  private static volatile CountDownLatch done = new CountDownLatch(1);

  static void expect(long rows) {
    COUNT.set(0);
    expected = rows;
    done = new CountDownLatch(1);
  }

  static boolean await(long time, TimeUnit unit) throws InterruptedException {
    return done.await(time, unit);
  }

  static long count() {
    return COUNT.get();
  }

  static long lastAtCpuNanos() {
    return lastAtCpuNanos;
  }

  /** Of all threads, those of the compiler and the collector included. */
  static long processCpuNanos() {
    return SYSTEM.getProcessCpuTime();
  }

  @Override
  public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
    return record;
  }

  @Override
  public void onAcknowledgement(RecordMetadata metadata, Exception error) {
    if (error != null || COUNT.incrementAndGet() != expected) return;
    lastAtCpuNanos = processCpuNanos();
    done.countDown();
  }

  @Override
  public void close() {}

  @Override
  public void configure(Map<String, ?> settings) {}
}
