package peer;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;

/**
 * Gathers changes into micro-batches, scores them, and forwards one score a change: the change's key, its header (which
 * holds the revision) and eight bytes of score.
 */
final class ScoreProcessor implements Processor<byte[], byte[], byte[], byte[]> {
  /** What is no full batch waits no longer than this. */
  private static final Duration LINGER = Duration.ofMillis(20);

  private final Model model;
  private final FlightFeatures features;
  private final Record<byte[], byte[]>[] waiting;
  private final double[] scores = new double[Model.BATCH_ROWS];
  private int rows;
  private ProcessorContext<byte[], byte[]> context;

  @SuppressWarnings("unchecked")
  ScoreProcessor(Model model, FlightFeatures features) {
    this.model = model;
    this.features = features;
    this.waiting = new Record[Model.BATCH_ROWS];
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    context.schedule(LINGER, PunctuationType.WALL_CLOCK_TIME, now -> score());
    // As Streams' own caching stores do: what is forwarded at a flush is forwarded by this node.
    InternalProcessorContext<?, ?> inner = (InternalProcessorContext<?, ?>) context;
    ProcessorNode<?, ?, ?, ?> self = inner.currentNode();
    MicroBatch batch = context.getStateStore(MicroBatch.NAME);
    batch.beforeCommit(
        () -> {
          ProcessorNode<?, ?, ?, ?> before = inner.currentNode();
          inner.setCurrentNode(self);
          score();
          inner.setCurrentNode(before);
        });
  }

  @Override
  public void process(Record<byte[], byte[]> change) {
    features.write(change.value(), model.matrix(), rows * model.columns());
    waiting[rows++] = change;
    if (rows == Model.BATCH_ROWS) score();
  }

  private void score() {
    if (rows == 0) return;
    int count = rows;
    rows = 0;
    model.score(count, scores);
    for (int row = 0; row < count; row++) {
      byte[] score = ByteBuffer.allocate(Double.BYTES).putDouble(scores[row]).array();
      context.forward(waiting[row].withValue(score));
    }
  }
}
