import { FIXED_LIMITS } from '../../capture/capture.ts'

export const LIMITS = { ...FIXED_LIMITS, pageRows: 3, maxPageBytes: 1_000, saveEveryMs: 300, maxWindows: 4 }
