import { scoreStoreContract } from '@freshet/ports/score-store.contract.ts'
import { MemoryScoreStore } from './score-store.ts'

scoreStoreContract('memory', async () => new MemoryScoreStore())
