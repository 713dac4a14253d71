import { leavesOf, type TreeEnsemble, type TreeNode, type TreeSplit } from './tree-ensemble.ts'

/** Leaves in one mask. A tree of more has several masks, one after the other. */
const MASK_LEAVES = 32
/** Masks are looked at so many at once: there are always a multiple of it. */
const MASKS_TOGETHER = 8

/**
 * A tree ensemble as tables. Each tree has a bit for each of its leaves. A column's value lies between two of the
 * thresholds that trees split the column at, and that alone says which leaves of all trees it leaves possible: one row
 * of masks, made beforehand. What all columns leave possible is one leaf of each tree. (QuickScorer has the masks of single
 * tests; here all tests of a column are one.)
 */
export interface LeafTables {
  /** Masks in a row: those of the first tree, of the second, and so on, and then some that are always 0. */
  readonly masks: number
  /** Only columns that a tree looks at. */
  readonly columns: readonly LeafColumn[]
  /** Values of 32 leaves a mask, from its highest bit on, then a 0 for a mask without any bit. */
  readonly leaves: Float32Array
  readonly base: number
}

interface LeafColumn {
  /** Which of the model's input. */
  readonly column: number
  /** Sorted, each once. */
  readonly thresholds: Float32Array
  /** A row for values up to each threshold, one for those above all, one for NaN. */
  readonly rows: Uint32Array
}

/** null where they would take more than `maxBytes`, or where there is nothing to look up. */
export function leafTablesOf({ trees, base }: TreeEnsemble, maxBytes: number): LeafTables | null {
  const masksOf = trees.map((tree) => Math.ceil(leavesOf(tree) / MASK_LEAVES))
  const used = masksOf.reduce((sum, masks) => sum + masks, 0)
  const masks = Math.ceil(used / MASKS_TOGETHER) * MASKS_TOGETHER
  const thresholds = thresholdsOf(trees)
  const rowCount = [...thresholds.values()].reduce((sum, { length }) => sum + length + 2, 0)
  const bytes = 4 * masks * (rowCount + MASK_LEAVES + 1)
  if (thresholds.size === 0 || bytes > maxBytes) return null
  const columns = [...thresholds].map(([column, sorted]) => ({
    column,
    thresholds: sorted,
    rows: new Uint32Array(masks * (sorted.length + 2)),
  }))
  const leaves = new Float32Array(masks * (MASK_LEAVES + 1))
  const tables = { masks, columns, leaves, base }
  let firstMask = 0
  for (const [index, tree] of trees.entries()) {
    fillTree(tables, tree, firstMask)
    firstMask += masksOf[index]!
  }
  return tables
}

function thresholdsOf(trees: readonly TreeNode[]): Map<number, Float32Array> {
  const found = new Map<number, Set<number>>()
  const look = (node: TreeNode): void => {
    if (node.kind === 'leaf') return
    const thresholds = found.get(node.column) ?? new Set()
    found.set(node.column, thresholds.add(node.threshold + 0)) // 0 and -0 are one
    look(node.whenTrue)
    look(node.whenFalse)
  }
  for (const tree of trees) look(tree)
  return new Map([...found].map(([column, values]) => [column, Float32Array.from(values).sort()]))
}

/** Puts the tree's leaves, from left to right, and in every row of every column which of them can still be. */
function fillTree({ masks, columns, leaves }: LeafTables, tree: TreeNode, firstMask: number): void {
  const columnOf = new Map(columns.map((column) => [column.column, column]))
  const treeLeaves: number[] = []
  const splits: { split: TreeSplit; from: number; middle: number; to: number }[] = []
  const walk = (node: TreeNode): void => {
    if (node.kind === 'leaf') return void treeLeaves.push(node.value)
    const from = treeLeaves.length
    walk(node.whenTrue)
    const middle = treeLeaves.length
    walk(node.whenFalse)
    splits.push({ split: node, from, middle, to: treeLeaves.length })
  }
  walk(tree)
  for (const [leaf, value] of treeLeaves.entries()) leaves[placeOf(leaf, firstMask)] = value
  for (const { rows, thresholds } of columns)
    for (let row = 0; row < thresholds.length + 2; row++)
      setLeaves(rows, row * masks + firstMask, 0, treeLeaves.length)
  for (const { split, from, middle, to } of splits) {
    const { rows, thresholds } = columnOf.get(split.column)!
    const threshold = thresholds.indexOf(split.threshold)
    for (let row = 0; row < thresholds.length + 2; row++) {
      const isTrue = row > thresholds.length ? split.missingGoesTrue : row <= threshold
      if (isTrue) clearLeaves(rows, row * masks + firstMask, middle, to)
      else clearLeaves(rows, row * masks + firstMask, from, middle)
    }
  }
}

function placeOf(leaf: number, firstMask: number): number {
  const mask = firstMask + Math.floor(leaf / MASK_LEAVES)
  return mask * (MASK_LEAVES + 1) + (leaf % MASK_LEAVES)
}

function setLeaves(rows: Uint32Array, firstMask: number, from: number, to: number): void {
  for (let leaf = from; leaf < to; leaf++) rows[firstMask + (leaf >>> 5)]! |= 0x80000000 >>> (leaf & 31)
}

function clearLeaves(rows: Uint32Array, firstMask: number, from: number, to: number): void {
  for (let leaf = from; leaf < to; leaf++) rows[firstMask + (leaf >>> 5)]! &= ~(0x80000000 >>> (leaf & 31))
}
