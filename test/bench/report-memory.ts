/** Loaded into a process before its program: tells its parent every second what it holds. Keeps nothing alive. */
const EVERY_MS = 1_000

const timer = setInterval(() => {
  if (process.connected) process.send?.(process.memoryUsage())
}, EVERY_MS)
timer.unref()
