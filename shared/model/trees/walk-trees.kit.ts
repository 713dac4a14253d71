import type { TreeEnsemble, TreeNode } from './tree-ensemble.ts'

/** What the tables must give: test after test, leaf after leaf, in the numbers of a float32. */
export function walkTrees({ trees, base }: TreeEnsemble, row: ArrayLike<number>): number {
  const sum = trees.reduce((score, tree) => Math.fround(score + leafOf(tree, row)), 0)
  return Math.fround(sum + base)
}

function leafOf(node: TreeNode, row: ArrayLike<number>): number {
  if (node.kind === 'leaf') return node.value
  const value = row[node.column]!
  const isTrue = Number.isNaN(value) ? node.missingGoesTrue : value <= node.threshold
  return leafOf(isTrue ? node.whenTrue : node.whenFalse, row)
}
