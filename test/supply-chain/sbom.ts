/** `npm run --silent sbom > sbom.json`: the bill of materials of what runs in production. */
import { billOfMaterials } from './bill-of-materials.ts'

process.stdout.write(`${JSON.stringify(billOfMaterials(), null, 2)}\n`)
