#!/usr/bin/env node
/** The entry: keeps compiled modules for the next start, which halves the time to the first line. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./program.ts')
