"""Cut a tree of networks down to a number of nodes, where it costs the least accuracy.

Each node of the tree either splits in two or answers with one city for all its addresses. A bottom-up pass finds, for
a given price of a node, the cheapest mix of the two; a search over the price meets the size wanted. (Optimal tree
pruning as for classification trees: Breiman et al. 1984, section 3.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from glimpse.geo.sphere import distance_km

NOWHERE: Final = 0
"""The label of addresses that the source doesn't place."""

_CANDIDATES = 6
_FAR_KM = 60.0
_WRONG_COUNTRY = 2.5
_WRONG_CITY = 0.03
_UNKNOWN_LOSS = 1.0
_ROWS_AT_ONCE = 100_000

Labels = NDArray[np.int32]
Weights = NDArray[np.float32]


class LabelLoss:
    """What it costs to answer with one label where another is right: distance, and a wrong country above all."""

    def __init__(self, points: NDArray[np.float32], countries: NDArray[np.int32]) -> None:
        self._points, self._countries = points, countries

    def __call__(self, right: Labels, answer: Labels) -> NDArray[np.float32]:
        """Return the loss of each pair; the two broadcast."""
        km = distance_km(self._points[right], self._points[answer])
        loss = 1 - np.exp(-km / np.float32(_FAR_KM))
        loss += _WRONG_COUNTRY * (self._countries[right] != self._countries[answer])
        loss += _WRONG_CITY * (right != answer)
        return loss.astype(np.float32)


@dataclass(frozen=True)
class Level:
    """The nodes of one depth that might split.

    ``left`` and ``right`` are rows of the next deeper level's table of nodes.
    """

    answer: Labels
    answer_loss: Weights
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_label: Labels
    right_label: Labels


@dataclass
class _Front:
    """Nodes of one depth, in order of their keys: which labels are below them, and with how much weight."""

    keys: NDArray[np.uint64]
    labels: Labels  # (n, candidates), -1 where fewer
    weights: Weights
    lost: Weights  # weight of labels no longer told apart
    rows: NDArray[np.int64]  # row in the depth's Level, or -1 for a node with one label


class PrunableTree:
    """All networks of one IP version with their labels, ready to be cut to any size.

    Parameters
    ----------
    root_depth, leaf_depth
        Where the tree begins, and the longest prefix kept; networks below it are summed up.
    absent_weight
        Weight of an empty leaf, by depth: how much it matters to leave unknown space unknown.
    """

    def __init__(
        self,
        keys: NDArray[np.uint64],
        depths: NDArray[np.uint8],
        labels: Labels,
        weights: Weights,
        loss: LabelLoss,
        *,
        root_depth: int,
        leaf_depth: int,
        absent_weight: NDArray[np.float32],
    ) -> None:
        self._loss, self._absent_weight = loss, absent_weight
        self.levels: dict[int, Level] = {}
        front = self._front_of(*_summed(*_below(keys, depths, labels, weights, leaf_depth)))
        self._settle_leaves(front)
        for depth in range(leaf_depth, root_depth, -1):
            front = self._parents(front, depth)
            here = depths == depth - 1
            front = _joined(front, self._front_of(*_summed(keys[here], labels[here], weights[here])))
        self.root_label = int(front.labels[0, 0]) if front.rows[0] < 0 else None
        self.root_depth, self.leaf_depth = root_depth, leaf_depth

    def _settle_leaves(self, front: _Front) -> None:
        """Settle nodes at the leaf depth: whatever is below them, they answer with one label."""
        answer, _ = self._best_answer(front)
        count = len(front.keys)
        front.labels, front.weights = _one_label(answer, front.weights.sum(axis=1) + front.lost)
        front.lost = np.zeros(count, np.float32)
        front.rows = np.full(count, -1)

    def _front_of(self, keys: NDArray[np.uint64], labels: Labels, weights: Weights) -> _Front:
        """Make a front of (key, label, weight) triples that are sorted by key, then by falling weight."""
        if not len(keys):
            return _Front(keys, *_one_label(labels, weights), weights, np.empty(0, np.int64))
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        node = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(keys)]))
        rank = np.arange(len(keys)) - starts[node]
        table = np.full((len(starts), _CANDIDATES), -1, np.int32)
        weight_table = np.zeros((len(starts), _CANDIDATES), np.float32)
        kept = rank < _CANDIDATES
        table[node[kept], rank[kept]] = labels[kept]
        weight_table[node[kept], rank[kept]] = weights[kept]
        lost = np.bincount(node[~kept], weights[~kept], len(starts)).astype(np.float32)
        return _Front(keys[starts], table, weight_table, lost, np.full(len(starts), -1))

    def _parents(self, front: _Front, depth: int) -> _Front:
        """Pair the nodes of a depth into those above, and note which of these might split."""
        keys, first = np.unique(front.keys >> np.uint64(1), return_index=True)
        has_pair = np.diff(np.r_[first, len(front.keys)]) == 2
        is_right = (front.keys[first] & np.uint64(1)).astype(bool) & ~has_pair
        left = np.where(is_right, -1, first)
        right = np.where(has_pair, first + 1, np.where(is_right, first, -1))
        absent = self._absent_weight[depth]
        labels, weights, lost = _merged(_side(front, left, absent), _side(front, right, absent))
        parents = _Front(keys, labels, weights, lost, np.full(len(keys), -1))
        mixed = np.flatnonzero((labels[:, 1] >= 0) | (lost > 0))
        parents.rows[mixed] = np.arange(len(mixed))
        answer, answer_loss = self._best_answer(_rows_of(parents, mixed))
        sides = [np.where(side >= 0, front.rows[side], -1)[mixed] for side in (left, right)]
        side_labels = [np.where(side >= 0, front.labels[side, 0], NOWHERE)[mixed] for side in (left, right)]
        self.levels[depth - 1] = Level(answer, answer_loss, sides[0], sides[1], side_labels[0], side_labels[1])
        return parents

    def _best_answer(self, front: _Front) -> tuple[Labels, Weights]:
        """Return the label that costs each node the least, and what it costs."""
        answers, losses = np.empty(len(front.keys), np.int32), np.empty(len(front.keys), np.float32)
        for start in range(0, len(front.keys), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            labels, weights = front.labels[part], front.weights[part]
            known = np.maximum(labels, 0)
            # loss[n, answer] = sum over what is right
            loss = np.einsum("nr,nra->na", weights, self._loss(known[:, :, None], known[:, None, :]))
            loss[labels < 0] = np.inf
            best = loss.argmin(axis=1)[:, None]
            answers[part] = np.take_along_axis(labels, best, 1)[:, 0]
            losses[part] = np.take_along_axis(loss, best, 1)[:, 0] + _UNKNOWN_LOSS * front.lost[part]
        return answers, losses

    def splits(self, node_price: float) -> dict[int, NDArray[np.bool_]]:
        """Decide for each possible node whether it splits, when each split costs ``node_price``."""
        decided: dict[int, NDArray[np.bool_]] = {}
        below = np.zeros(1, np.float32)
        for depth in range(self.leaf_depth - 1, self.root_depth - 1, -1):
            level = self.levels[depth]
            split_cost = _cost(below, level.left) + _cost(below, level.right) + np.float32(node_price)
            decided[depth] = split_cost < level.answer_loss
            below = np.minimum(split_cost, level.answer_loss)
        return decided


def _cost(below: Weights, rows: NDArray[np.int64]) -> Weights:
    if not len(below):
        return np.zeros(len(rows), np.float32)
    return np.where(rows >= 0, below[rows], np.float32(0))


def _below(
    keys: NDArray[np.uint64], depths: NDArray[np.uint8], labels: Labels, weights: Weights, leaf_depth: int
) -> tuple[NDArray[np.uint64], Labels, Weights]:
    """Return what is at the leaf depth or below it, keyed by the leaf."""
    deep = depths >= leaf_depth
    return keys[deep] >> (depths[deep] - leaf_depth).astype(np.uint64), labels[deep], weights[deep]


def _summed(keys: NDArray[np.uint64], labels: Labels, weights: Weights) -> tuple[NDArray[np.uint64], Labels, Weights]:
    """Add up the weights of equal key and label; sort by key, then by falling weight."""
    if not len(keys):
        return keys, labels, weights
    order = np.lexsort((labels, keys))
    keys, labels, weights = keys[order], labels[order], weights[order]
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]) | (labels[1:] != labels[:-1])])
    keys, labels, weights = keys[starts], labels[starts], np.add.reduceat(weights, starts)
    order = np.lexsort((-weights, keys))
    return keys[order], labels[order], weights[order]


def _one_label(labels: Labels, weights: Weights) -> tuple[Labels, Weights]:
    table = np.full((len(labels), _CANDIDATES), -1, np.int32)
    weight_table = np.zeros((len(labels), _CANDIDATES), np.float32)
    table[:, 0], weight_table[:, 0] = labels, weights
    return table, weight_table


def _rows_of(front: _Front, rows: NDArray[np.intp]) -> _Front:
    return _Front(front.keys[rows], front.labels[rows], front.weights[rows], front.lost[rows], front.rows[rows])


def _joined(a: _Front, b: _Front) -> _Front:
    both = _Front(
        *(np.concatenate((x, y)) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)),
    )
    return _rows_of(both, np.argsort(both.keys, kind="stable"))


def _side(front: _Front, rows: NDArray[np.int64], absent_weight: np.float32) -> tuple[Labels, Weights, Weights]:
    """Return what is on one side of each parent; an absent child is nowhere."""
    absent = rows < 0
    labels, weights, lost = front.labels[rows], front.weights[rows], front.lost[rows]
    labels[absent], weights[absent] = _one_label(
        np.full(absent.sum(), NOWHERE, np.int32), np.full(absent.sum(), absent_weight, np.float32)
    )
    lost[absent] = 0
    return labels, weights, lost


def _merged(
    left: tuple[Labels, Weights, Weights], right: tuple[Labels, Weights, Weights]
) -> tuple[Labels, Weights, Weights]:
    """Add two sides up, keeping the labels with most weight."""
    labels, weights = np.hstack((left[0], right[0])), np.hstack((left[1], right[1]))
    order = np.argsort(labels, axis=1)
    labels, weights = np.take_along_axis(labels, order, 1), np.take_along_axis(weights, order, 1)
    # A label occurs at most once a side, so twice in a row of sorted labels.
    again = np.zeros(labels.shape, bool)
    again[:, 1:] = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] >= 0)
    weights[:, :-1] += np.where(again[:, 1:], weights[:, 1:], 0)
    labels[again], weights[again] = -1, 0
    order = np.argsort(np.where(labels < 0, 1, -weights), axis=1, kind="stable")
    labels, weights = np.take_along_axis(labels, order, 1), np.take_along_axis(weights, order, 1)
    lost = left[2] + right[2] + weights[:, _CANDIDATES:].sum(axis=1)
    return labels[:, :_CANDIDATES].copy(), weights[:, :_CANDIDATES].copy(), lost
