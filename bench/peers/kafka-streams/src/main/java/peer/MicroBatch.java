package peer;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * A store that keeps nothing. Kafka Streams flushes caches before it commits, and this is how it lets a processor
 * finish what it has in hand, so that no offset of a row without a score is committed.
 */
final class MicroBatch implements StateStore, CachedStateStore<Object, Object> {
  static final String NAME = "micro-batch";
  private Runnable beforeCommit = () -> {};
  private boolean isOpen;

  void beforeCommit(Runnable work) {
    beforeCommit = work;
  }

  @Override
  public void flushCache() {
    beforeCommit.run();
  }

  @Override
  public void clearCache() {}

  @Override
  public boolean setFlushListener(CacheFlushListener<Object, Object> listener, boolean sendOldValues) {
    return false;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    context.register(root, (key, value) -> {});
    isOpen = true;
  }

  @Override
  public void close() {
    isOpen = false;
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return isOpen;
  }

  static final class Builder implements StoreBuilder<MicroBatch> {
    @Override
    public MicroBatch build() {
      return new MicroBatch();
    }

    @Override
    public StoreBuilder<MicroBatch> withCachingEnabled() {
      return this;
    }

    @Override
    public StoreBuilder<MicroBatch> withCachingDisabled() {
      return this;
    }

    @Override
    public StoreBuilder<MicroBatch> withLoggingEnabled(Map<String, String> settings) {
      return this;
    }

    @Override
    public StoreBuilder<MicroBatch> withLoggingDisabled() {
      return this;
    }

    @Override
    public Map<String, String> logConfig() {
      return Map.of();
    }

    @Override
    public boolean loggingEnabled() {
      return false;
    }

    @Override
    public String name() {
      return NAME;
    }
  }
}
