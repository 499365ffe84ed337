"""The table of a contest, and the bars, each as the ratio of two contenders in the same rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

FULL = 0.95  # of a core: whoever is past it may have been what held the others up
HELD_UP = 0.8  # of a core: when nobody had more of its own, something else on the machine held both up
Key = tuple[str, str]  # a contender and what was sent to it


class Round(NamedTuple):
    """What one round showed. Shares are of one core."""

    rate: float  # accepted events a second; refused ones when nothing else was sent
    cpu_us: float  # of the server, an event
    p50_ms: float
    p99_ms: float
    server_share: float
    other_share: float  # the generator's and Redis'
    whole_us: float  # of the server and its Redis, an event
    problem: str = ""


Rounds = Mapping[Key, Sequence[Round]]


class Bar(NamedTuple):
    """What is promised: `above` is so many times `below`, by one of a round's figures."""

    above: Key
    below: Key
    at_least: float | None = None  # None: shown, not promised
    by: str = "rate"


def print_table(rounds: Rounds) -> None:
    """Print a row for each contender and each thing that was sent."""
    print(f"\n{'events a second':<54}{'min':>9}{'median':>9}{'max':>9} {'µs of CPU':>10} {'p99 ms':>7} server other")
    for key, seen in rounds.items():
        rates, middle = [r.rate for r in seen], _middle(seen)
        print(
            f"{title(key):<54}{min(rates):>9,.0f}{middle.rate:>9,.0f}{max(rates):>9,.0f} {middle.cpu_us:>10.1f} "
            f"{middle.p99_ms:>7.2f} {middle.server_share:>6.0%} {middle.other_share:>5.0%}"
        )
        for problem in sorted({r.problem for r in seen} - {""}):
            print(f"    NOT COUNTED: {problem}")
        if middle.other_share > FULL > middle.server_share:
            print("    the generator's core was full: this server can do more")
    if _is_busy(rounds):
        print("The machine was busy with other things: look at the processor time, or run it again when it is idle.")


def _is_busy(rounds: Rounds) -> bool:
    """Return whether servers had too little of their core in the rounds that are to fill it, which most are."""
    shares = [max(r.server_share, r.other_share) for seen in rounds.values() for r in seen]
    return bool(shares) and median(shares) < HELD_UP


def _middle(seen: Sequence[Round]) -> Round:
    *figures, _ = zip(*seen, strict=True)
    return Round(*map(median, figures))


def title(key: Key) -> str:
    """Return a contender and what was sent to it, in words."""
    return f"{key[0]}, {key[1]}"


def print_bars(rounds: Rounds, bars: Sequence[Bar]) -> bool:
    """Print each bar with its ratio: median, and from least to most. Return whether all are kept."""
    print(f"\n{'ratios, round by round':<102}{'min':>7}{'median':>8}{'max':>7}")
    measured = [bar for bar in bars if bar.above in rounds and bar.below in rounds]
    return sum(_print_bar(rounds, bar) for bar in measured) == len(measured)


def _print_bar(rounds: Rounds, bar: Bar) -> bool:
    pairs = zip(rounds[bar.above], rounds[bar.below], strict=True)
    ratios = [getattr(a, bar.by) / getattr(b, bar.by) for a, b in pairs if not a.problem and not b.problem]
    said = f"{title(bar.above)} / {title(bar.below)}{_SAID[bar.by]}"
    if not ratios:
        print(f"{said:<102}  no round counted")
        return False
    is_kept = bar.at_least is None or median(ratios) >= bar.at_least
    promise = "" if bar.at_least is None else f"  {'kept' if is_kept else 'BELOW'}: at least {bar.at_least:g}"
    print(f"{said:<102}{min(ratios):>7.2f}{median(ratios):>8.2f}{max(ratios):>7.2f}{promise}")
    return is_kept


_SAID = {"rate": "", "whole_us": ": processor time with Redis", "cpu_us": ": processor time", "p99_ms": ": p99"}
