import { objectStoreContract } from '@freshet/ports/object-store.contract.ts'
import { MemoryObjectStore } from './object-store.ts'

objectStoreContract('memory', async () => new MemoryObjectStore())
