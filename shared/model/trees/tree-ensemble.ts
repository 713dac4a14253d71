/** Trees whose leaves are added up, as ONNX Runtime computes a TreeEnsembleRegressor of one target without a transform. */
export interface TreeEnsemble {
  /** Outputs of the model that are this sum: the node's own, and its Identities. */
  readonly outputs: ReadonlySet<string>
  /** In the order in which their leaves are added. */
  readonly trees: readonly TreeNode[]
  /** Added last. */
  readonly base: number
}

export type TreeNode = TreeLeaf | TreeSplit

interface TreeLeaf {
  readonly kind: 'leaf'
  readonly value: number
}

/** Goes to `whenTrue` where the column's value is at most the threshold; NaN goes where `missingGoesTrue` says. */
export interface TreeSplit {
  readonly kind: 'split'
  readonly column: number
  /** A float32. */
  readonly threshold: number
  readonly missingGoesTrue: boolean
  readonly whenTrue: TreeNode
  readonly whenFalse: TreeNode
}

export function leavesOf(tree: TreeNode): number {
  return tree.kind === 'leaf' ? 1 : leavesOf(tree.whenTrue) + leavesOf(tree.whenFalse)
}
