package peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime over one direct matrix that is filled in place: no row is copied on its way into the model. */
final class Model implements AutoCloseable {
  /** More rows a call gain nothing: a tree model costs the same a row from some 64 on. */
  static final int BATCH_ROWS = 256;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final String input;
  private final Set<String> outputs;
  private final int outputColumn;
  private final int columns;
  private final FloatBuffer matrix;
  private final OnnxTensor full;
  /** To compare with: whoever scores the same rows comes to the same sum. */
  private double sum;

  Model(byte[] onnx, JsonNode spec) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
    session = environment.createSession(onnx, options);
    input = spec.at("/inputs/tensor").asText();
    columns = spec.at("/inputs/columns").size();
    outputs = Set.of(spec.at("/outputs/0/tensor").asText());
    outputColumn = spec.at("/outputs/0/column").asInt();
    matrix =
        ByteBuffer.allocateDirect(BATCH_ROWS * columns * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    full = OnnxTensor.createTensor(environment, matrix, new long[] {BATCH_ROWS, columns});
  }

  /** Row r begins at r × columns. */
  FloatBuffer matrix() {
    return matrix;
  }

  int columns() {
    return columns;
  }

  /** Scores the first rows of the matrix. */
  void score(int rows, double[] into) {
    try {
      if (rows == BATCH_ROWS) run(full, rows, into);
      else
        try (OnnxTensor part =
            OnnxTensor.createTensor(
                environment, matrix.slice(0, rows * columns), new long[] {rows, columns})) {
          run(part, rows, into);
        }
    } catch (OrtException error) {
      throw new IllegalStateException(error);
    }
  }

  private void run(OnnxTensor tensor, int rows, double[] into) throws OrtException {
    try (OrtSession.Result result = session.run(Map.of(input, tensor), outputs)) {
      FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
      int width = values.limit() / rows;
      for (int row = 0; row < rows; row++) sum += into[row] = values.get(row * width + outputColumn);
    }
  }

  double sum() {
    return sum;
  }

  void resetSum() {
    sum = 0;
  }

  @Override
  public void close() throws OrtException {
    full.close();
    session.close();
  }
}
