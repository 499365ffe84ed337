"""Where workers leave their counts for each other, so that `/metrics` tells of all whichever of them answers.

Shared memory that is made before the fork, a place for each worker. Rule of this module: nobody waits for anybody; a
text that is being written is read as it was before.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_PAGE_BYTES = 64 * 1024  # room for some hundred lines; what is longer is left out
_LENGTH_BYTES = 4
_PLACE_BYTES = 1 + 2 * _PAGE_BYTES  # which of two pages counts, and the two
_encode, _texts = msgspec.msgpack.encode, msgspec.msgpack.Decoder(list[bytes])


class Blackboard:
    """Keeps what each worker has counted.

    Parameters
    ----------
    places
        How many workers there are.
    """

    def __init__(self, places: int) -> None:
        self._memory = mmap.mmap(-1, places * _PLACE_BYTES)
        self._places = places

    def write(self, place: int, texts: list[bytes]) -> None:
        """Leave texts at a place; only its own worker does."""
        message = _encode(texts)
        if len(message) > _PAGE_BYTES - _LENGTH_BYTES:
            return
        start = place * _PLACE_BYTES
        page = 1 - self._memory[start]
        at = start + 1 + page * _PAGE_BYTES
        self._memory[at : at + _LENGTH_BYTES + len(message)] = len(message).to_bytes(_LENGTH_BYTES) + message
        self._memory[start] = page

    def read(self, place: int) -> list[bytes]:
        """Return the texts at a place."""
        start = place * _PLACE_BYTES
        at = start + 1 + self._memory[start] * _PAGE_BYTES
        length = int.from_bytes(self._memory[at : at + _LENGTH_BYTES])
        message = self._memory[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length]
        try:
            return _texts.decode(message) if message else []
        except msgspec.DecodeError:  # it was written twice meanwhile
            return []

    def place(self, number: int, count: Callable[[], bytes]) -> Place:
        """Return a worker's own place."""
        return Place(self, number, [other for other in range(self._places) if other != number], count)


class Place:
    """One worker's counts, with those that its forerunners left, so that no total ever falls.

    Parameters
    ----------
    number
        Which of the places it is.
    others
        The other workers' places.
    count
        Returns what this worker has counted, in Prometheus' text format.
    """

    def __init__(self, board: Blackboard, number: int, others: list[int], count: Callable[[], bytes]) -> None:
        self._board = board
        self._number = number
        self._others = others
        self._count = count
        left = board.read(number)
        self._before = [total(left)] if left else []

    def show(self) -> None:
        """Let the others see what has been counted up to now."""
        self._board.write(self._number, [*self._before, self._count()])

    def text(self) -> bytes:
        """Return the counts of all workers together: the others' are of the last second."""
        texts = [*self._before, self._count()]
        for other in self._others:
            texts += self._board.read(other)
        return total(texts) if len(texts) > 1 else texts[0]


def total(texts: Iterable[bytes]) -> bytes:
    """Return metrics with every sample the sum of the same one in all texts; fit for what only rises."""
    families: dict[str, Metric] = {}
    for text in texts:
        for family in text_string_to_metric_families(text.decode()):
            known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            known.samples += family.samples
    registry = CollectorRegistry()
    registry.register(_Sums(families.values()))
    return generate_latest(registry)


class _Sums(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Add up the samples of each family."""
        for family in self._families:
            sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
            for sample in family.samples:
                key = sample.name, tuple(sample.labels.items())
                sums[key] = sums.get(key, 0.0) + sample.value
            summed = Metric(family.name, family.documentation, family.type)
            for (name, labels), value in sums.items():
                summed.add_sample(name, dict(labels), value)
            yield summed
