"""Number the nodes of a cut tree as an MMDB search tree wants them, sharing equal subtrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.pruning import Level, PrunableTree

References = NDArray[np.int64]
"""What a record of the tree points to: a node's number, or -1 - label for a leaf."""


@dataclass(frozen=True)
class NodeTable:
    """Nodes in an order where children come before parents; ``root`` may be a leaf."""

    children: NDArray[np.int64]  # (nodes, 2) references
    root: int

    def __len__(self) -> int:
        return len(self.children)

    def labels(self) -> set[int]:
        """Return the labels that some leaf has."""
        references = np.append(self.children.ravel(), self.root)
        return set((-1 - np.unique(references[references < 0])).tolist())


def number_nodes(tree: PrunableTree, splits: dict[int, NDArray[np.bool_]]) -> NodeTable:
    """Return the nodes that are left when the others answer with one label."""
    if tree.root_label is not None:
        return NodeTable(np.empty((0, 2), np.int64), -1 - tree.root_label)
    used = _reached(tree, splits)
    tables: list[NDArray[np.int64]] = []
    count = 0
    below: References = np.empty(0, np.int64)
    for depth in range(tree.leaf_depth - 1, tree.root_depth - 1, -1):
        level = tree.levels[depth]
        references = -1 - level.answer.astype(np.int64)
        rows = np.flatnonzero(used[depth])
        pairs = np.column_stack([_children(below, *side, rows) for side in _sides(level)])
        # Two equal leaves are one; two equal subtrees are still a level of the tree.
        is_node = (pairs[:, 0] != pairs[:, 1]) | (pairs[:, 0] >= 0)
        references[rows[~is_node]] = pairs[~is_node, 0]
        distinct, inverse = np.unique(pairs[is_node], axis=0, return_inverse=True)
        references[rows[is_node]] = count + inverse.ravel()
        tables.append(distinct)
        count += len(distinct)
        below = references
    return NodeTable(np.concatenate(tables), int(below[0]))


def _sides(level: Level) -> tuple[tuple[NDArray[np.int64], NDArray[np.int32]], ...]:
    return (level.left, level.left_label), (level.right, level.right_label)


def _children(
    below: References, child_rows: NDArray[np.int64], labels: NDArray[np.int32], rows: NDArray[np.intp]
) -> References:
    child, label = child_rows[rows], labels[rows]
    leaf = -1 - label.astype(np.int64)
    return np.where(child >= 0, below[child], leaf) if len(below) else leaf


def _reached(tree: PrunableTree, splits: dict[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
    """Return which splitting nodes hang below splitting nodes up to the root."""
    reached: dict[int, NDArray[np.bool_]] = {}
    here = np.ones(1, bool)
    for depth in range(tree.root_depth, tree.leaf_depth):
        reached[depth] = here & splits[depth]
        level = tree.levels[depth]
        children = np.concatenate([side[reached[depth]] for side in (level.left, level.right)])
        here = np.zeros(len(splits[depth + 1]) if depth + 1 in splits else 0, bool)
        here[children[children >= 0]] = True
    return reached
