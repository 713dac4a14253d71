import { defaultLimits } from '../../capture/capture.ts'

export const LIMITS = { ...defaultLimits, pageRows: 3, maxPageBytes: 1_000, saveEveryMs: 300, maxWindows: 4 }
