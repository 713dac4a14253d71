/**
 * ONNX Runtime reports to its makers over HTTPS unless this is set before its library is loaded. A worker thread has
 * only a copy of the environment, so whoever starts one imports this, too.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1'
