import { notImportable } from './not-importable.ts'

interface NativeFormat {
  /** First bytes, each as one character; no ONNX model begins so. */
  readonly begins: readonly string[]
  readonly is: string
  readonly convert: string
}

const FORMATS: readonly NativeFormat[] = [
  {
    begins: ['tree\nversion=', 'tree\r\nversion='],
    is: 'the text of LightGBM',
    convert: 'export it with onnxmltools.convert_lightgbm',
  },
  {
    begins: ['{"learner"', '{"version"', '{L\0\0\0\0\0\0\0\x07learner', '{L\0\0\0\0\0\0\0\x07version'],
    is: 'the JSON of XGBoost',
    convert: 'export it with onnxmltools.convert_xgboost',
  },
  {
    // Of each protocol that is still written, then as joblib compresses it.
    begins: ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05', 'x\x01', 'x\x5e', 'x\x9c', 'x\xda'],
    is: 'a pickle',
    convert:
      'export what is in it where it was trained, a scikit-learn model with skl2onnx.to_onnx, one of LightGBM or XGBoost with onnxmltools',
  },
]
const HEAD_BYTES = 64

/**
 * Refuses a model as the library that trained it saves it.
 * @throws MODEL_NOT_IMPORTABLE with how to export it
 */
export function refuseNative(file: string, bytes: Uint8Array): void {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1')
  const native = FORMATS.find(({ begins }) => begins.some((start) => head.startsWith(start)))
  if (native !== undefined) throw notImportable(`${file} is ${native.is}, not ONNX: ${native.convert}`)
}
