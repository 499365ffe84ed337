"""Glimpse's pipeline against the seed's, in one run on this machine: `make bench-pipeline`.

The drain alone, from a full buffer; then whole, from the request to the store. All take turns, so that whatever else
the machine does hits all of them; beside each rate stands the processor time, which moves least.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from contest.contenders import Seedstack
from contest.drains import Drained, SeedWorker, drain_glimpse
from contest.sustained import CollectAndWork, OnAllCores, PanelServe, SeedstackAndWorker, Sustained, sustain

CONCURRENCIES = (10, 50, 100)
SEED_BUFFER_BYTES = 1_656  # an event, as measured when the bar was set
DRAIN_BAR, COLLECT_BAR, SERVE_BAR, BUFFER_BAR = 4.0, 3.0, 0.5, 0.6


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as folder:
        is_kept = _race_drains(options, Path(folder))
        if not options.drain_only:
            is_kept &= _race_whole(options, Path(folder))
    return 0 if is_kept else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    seedstack = os.environ.get("SEEDSTACK") or None
    parser.add_argument("--seedstack", type=Path, default=seedstack, help="folder of the stack to outrun")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="how long events are sent, in each round")
    parser.add_argument("--quick", action="store_true", help="two rounds of a fifth")
    parser.add_argument("--drain-only", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.events, options.seconds = 2, options.events // 5, options.seconds / 5
    return options


# -- the drain alone ---------------------------------------------------------------------------------------------------


def _race_drains(options: argparse.Namespace, folder: Path) -> bool:
    turns: dict[str, Callable[[], Drained]] = {"glimpse": lambda: drain_glimpse(options.events)}
    if options.seedstack:
        worker = SeedWorker(Seedstack.at(options.seedstack).source, folder, options.events)
        best = max(CONCURRENCIES, key=lambda concurrency: worker.drain(concurrency).rate)
        turns[f"the seed's worker, {best} at once"] = lambda: worker.drain(best)
    seen: dict[str, list[Drained]] = {name: [] for name in turns}
    for number in range(options.rounds):
        for name, turn in turns.items():
            seen[name].append(turn())
        print(f"drain alone: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    print(f"\nthe drain alone, {options.events:,} events in the buffer")
    print(f"{'events a second':<36}{'min':>9}{'median':>9}{'max':>9}{'µs drain':>10}{'µs valkey':>10}{'bytes':>8}")
    for name, rounds in seen.items():
        print(f"{name:<36}{_spread([r.rate for r in rounds])}", end="")
        figures = [(r.drain_us, r.valkey_us, r.buffer_bytes) for r in rounds]
        drain_us, valkey_us, held = map(median, zip(*figures, strict=True))
        print(f"{drain_us:>10.1f}{valkey_us:>10.1f}{held:>8,.0f}")
    ours, *others = seen.values()
    _print_steps(ours)
    held = median(r.buffer_bytes for r in ours) / SEED_BUFFER_BYTES
    is_kept = _verdict("buffer an event, of the seed's 1,656 bytes", [held], BUFFER_BAR, is_most=True)
    for theirs in others:
        pairs = list(zip(ours, theirs, strict=True))
        is_kept &= _verdict("drain alone", [a.rate / b.rate for a, b in pairs], DRAIN_BAR)
        _verdict("  by the drain's processor time", [b.drain_us / a.drain_us for a, b in pairs])
    return is_kept


def _print_steps(rounds: Sequence[Drained]) -> None:
    print("  where the drain's time goes, µs an event, median:")
    for name in rounds[0].steps_us:
        print(f"    {name:<20}{median(r.steps_us[name] for r in rounds):>7.1f}")


# -- from the request to the store -------------------------------------------------------------------------------------


def _race_whole(options: argparse.Namespace, folder: Path) -> bool:
    kinds: list[type[OnAllCores]] = [CollectAndWork, PanelServe]
    if options.seedstack:
        source = Seedstack.at(options.seedstack).source
        kinds.append(type("SeedstackAndWorker", (SeedstackAndWorker,), {"source": source}))
    seen: dict[str, list[Sustained]] = {kind.name: [] for kind in kinds}
    for number in range(options.rounds):
        for kind in kinds:
            (part := folder / f"{kind.__name__}{number}").mkdir()
            with kind(part) as server, contextlib.suppress(KeyboardInterrupt):
                sustain(server, min(2.0, options.seconds))  # some compile as they run
                seen[kind.name].append(sustain(server, options.seconds))
        print(f"whole: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    print("\nfrom the request to the store, one event a request, on all cores")
    print(f"{'events a second':<36}{'min':>9}{'median':>9}{'max':>9}{'p99 ms':>9}  share of a core")
    for name, rounds in seen.items():
        print(f"{name:<36}{_spread([r.rate for r in rounds])}{median(r.p99_ms for r in rounds):>9.1f}  ", end="")
        print(", ".join(f"{who} {median(r.shares[who] for r in rounds):.0%}" for who in rounds[0].shares))
        for problem in sorted({r.problem for r in rounds} - {""}):
            print(f"    NOT COUNTED: {problem}")
    return all([_whole_bar(seen, CollectAndWork, COLLECT_BAR), _whole_bar(seen, PanelServe, SERVE_BAR)])


def _whole_bar(seen: dict[str, list[Sustained]], kind: type[OnAllCores], bar: float) -> bool:
    theirs = seen.get(SeedstackAndWorker.name)
    if not theirs:
        return True
    pairs = zip(seen[kind.name], theirs, strict=True)
    return _verdict(kind.name, [a.rate / b.rate for a, b in pairs if not a.problem and not b.problem], bar)


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):>9,.0f}{median(values):>9,.0f}{max(values):>9,.0f}"


def _verdict(what: str, ratios: Sequence[float], bar: float | None = None, *, is_most: bool = False) -> bool:
    """Print a ratio and whether it is as promised; return that."""
    if not ratios:
        print(f"  {what}: no round counted")
        return False
    middle = median(ratios)
    is_kept = bar is None or (middle <= bar if is_most else middle >= bar)
    promise = (
        "" if bar is None else f"  {'kept' if is_kept else 'MISSED'}: {'at most' if is_most else 'at least'} {bar:g}"
    )
    print(f"  {what}: ratio {min(ratios):.2f} / {middle:.2f} / {max(ratios):.2f} (min, median, max){promise}")
    return is_kept


if __name__ == "__main__":
    sys.exit(main())
