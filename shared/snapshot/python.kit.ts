import { execFileSync, spawnSync } from 'node:child_process'

/** With the tools that analysts use, where this machine has them. `PYTHON` names another interpreter. */
const python = process.env['PYTHON'] ?? 'python3'

export function hasModule(module: string): boolean {
  return spawnSync(python, ['-c', `import ${module}`]).status === 0
}

/** @returns the JSON that it prints */
export function runPython(code: string, input = ''): unknown {
  return JSON.parse(execFileSync(python, ['-c', code], { encoding: 'utf8', input }))
}
