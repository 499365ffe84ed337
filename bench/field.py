"""Glimpse's edge against the field, in one run on this machine: `make bench-edge`.

Every contender gets the same requests and a Valkey of the same kind, and they take turns, so that whatever else the
machine does hits all of them. A rate counts accepted events, and only when the server's own books have them all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from contest.contenders import BareTornado, Collect, PanelAlone, PanelEdge, Seedstack
from contest.machine import OTHER_CORE, memory_mb, on_core, processes_of, wait_until_quiet
from contest.payload import REFUSED
from contest.server import Server
from contest.table import Bar, Round, print_bars, print_table

LOAD = Path(__file__).parent / "load.py"
ONE, TWENTY, PACED = "one event a request", "twenty events a request", "one event a request, by the clock"
LARGE = "one event a request, of 5.7 KB"
WRONG = {f"refused, {kind}": kind for kind in REFUSED}
SENT = {ONE: "one", TWENTY: "twenty", PACED: "one", LARGE: "large"} | WRONG  # a row's words -> the generator's kind
AS_LARGE = dict.fromkeys(WRONG, ONE) | {"refused, a string too long": LARGE}  # what is accepted of the same size
MOST_MB = 60
GLIMPSE = (Collect, PanelEdge, PanelAlone)
BARS = [
    Bar((Collect.name, ONE), (Seedstack.name, ONE), 2.5),
    Bar((Seedstack.name, ONE), (Collect.name, ONE), by="cpu_us"),
    Bar((Seedstack.name, PACED), (Collect.name, PACED), 1, "p99_ms"),
    Bar((Collect.name, ONE), (BareTornado.name, ONE)),
    Bar((PanelEdge.name, ONE), (BareTornado.name, ONE), 0.7),
    Bar((BareTornado.name, ONE), (PanelEdge.name, ONE), by="cpu_us"),
    Bar((PanelEdge.name, TWENTY), (PanelEdge.name, ONE), 5),
    Bar((PanelAlone.name, ONE), (BareTornado.name, ONE)),
    Bar((PanelAlone.name, TWENTY), (PanelAlone.name, ONE)),
    # An accepted event is also drained and stored: by the server that does all of it, its Redis included, it is told
    # what each costs. What the edge alone spends on either is shown beside that.
    *(Bar((PanelAlone.name, kept), (PanelAlone.name, wrong), 1, "whole_us") for wrong, kept in AS_LARGE.items()),
    *(Bar((s.name, kept), (s.name, w), by="cpu_us") for s in (Collect, PanelEdge) for w, kept in AS_LARGE.items()),
]


def main() -> int:
    options = _options()
    rounds: dict[tuple[str, str], list[Round]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as folder, contextlib.ExitStack() as running:
        servers = _start(options, Path(folder), running)
        for number in range(options.rounds + 1):
            for what in SENT:
                for server in (server for server in servers if _gets(server, what, options)):
                    seen = play(server, what, options)
                    if number:  # the first is for those that compile as they run
                        rounds[server.name, what].append(seen)
            print(f"round {number} of {options.rounds}", file=sys.stderr, flush=True)
        memory = {s.name: max(map(memory_mb, processes_of(s.pid))) for s in servers}
    print(
        f"\n{options.rounds} rounds of {options.seconds:g} s; servers on one core, what asks them and Redis on another"
    )
    print_table(dict(sorted(rounds.items())))
    is_kept = print_bars(rounds, BARS)
    return 0 if _print_memory(memory) and is_kept else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    seedstack = os.environ.get("SEEDSTACK") or None
    parser.add_argument("--seedstack", type=Path, default=seedstack, help="folder of the stack to outrun, installed")
    parser.add_argument("--quick", action="store_true", help="leave out what is refused")
    parser.add_argument("--refused", action="store_true", help="only what is refused, and what it is compared with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="length of a round")
    parser.add_argument("--rate", type=float, default=2000, help="requests a second, where they come by the clock")
    parser.add_argument("--patience", type=float, default=0, help="seconds to wait for a quiet machine before a turn")
    parser.add_argument("--only", nargs="*", help="contenders, by a part of their names")
    return parser.parse_args()


def _start(options: argparse.Namespace, folder: Path, running: contextlib.ExitStack) -> list[Server]:
    kinds: list[type[Server]] = [Collect, BareTornado, PanelEdge, PanelAlone]
    if options.seedstack:
        kinds.insert(0, Seedstack.at(Path(options.seedstack)))
    else:
        print("the seed's stack is left out: --seedstack DIR, or SEEDSTACK=DIR, says where it is")
    servers: list[Server] = []
    for kind in kinds:
        if options.only and not any(part in kind.name for part in options.only):
            continue
        try:
            servers.append(running.enter_context(kind(folder)))
        except RuntimeError as problem:
            print(f"{kind.name} is left out: {problem}")
    return servers


def _gets(server: Server, what: str, options: argparse.Namespace) -> bool:
    """Return whether something is sent to a server."""
    is_compared = what in WRONG or what == LARGE
    if (options.quick and is_compared) or (options.refused and not (is_compared or what == ONE)):
        return False
    if what == ONE:
        return not options.refused or isinstance(server, GLIMPSE)
    if what == PACED:
        return isinstance(server, Seedstack) or type(server) is Collect
    return isinstance(server, GLIMPSE)


def play(server: Server, what: str, options: argparse.Namespace) -> Round:
    """Let a server have its turn, and look into its books."""
    is_short = what in WRONG or what == LARGE
    flags = ["--kind", SENT[what], "--seconds", str(options.seconds / 3 if is_short else options.seconds)]
    if what == PACED:
        flags += ["--rate", str(options.rate)]
    before: Counter[str] = Counter()
    with server.its_turn():
        wait_until_quiet(options.patience)
        if server.books:
            server.books.clear()
            before = server.books.taken()
        watched = ["--watch", *map(str, processes_of(server.pid)), "--beside", *map(str, server.beside())]
        seen = _load([*flags, "--port", str(server.port), *watched])
        problem = _unexpected(seen, "400" if what in WRONG else "200") or _discrepancy(server, before, seen)
    return _round(seen, problem)


def _load(flags: list[str]) -> dict[str, Any]:
    with on_core(OTHER_CORE):
        ran = subprocess.run([sys.executable, LOAD, *flags], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ran.stdout)


def _unexpected(seen: dict[str, Any], status: str) -> str:
    if seen["unanswered"]:
        return f"{seen['unanswered']} requests had no answer"
    return "" if set(seen["statuses"]) == {status} else f"the answers were {seen['statuses']}"


def _discrepancy(server: Server, before: Counter[str], seen: dict[str, Any]) -> str:
    """Return how a server's books differ from what it has answered."""
    if not server.books:
        return ""
    accepted = seen["statuses"].get("200", 0) * seen["events_each"]
    booked, held = server.books.taken()["accepted"] - before["accepted"], server.books.held()
    is_right = booked == accepted and held in {None, accepted}
    return "" if is_right else f"answered 200 for {accepted}, booked {booked}, queued {held}"


def _round(seen: dict[str, Any], problem: str) -> Round:
    server, rate = seen["watched_share"], seen["rate"] * seen["events_each"]
    others = seen["generator_share"] + seen["beside_share"]
    whole_us = 1e6 * (server + seen["beside_share"]) / rate
    return Round(rate, 1e6 * server / rate, seen["p50_ms"], seen["p99_ms"], server, others, whole_us, problem)


def _print_memory(memory: dict[str, float]) -> bool:
    """Print what each contender's largest process takes; return whether the collector's is small enough."""
    print(f"\n{'memory of the largest process, its share of what is shared':<102}{'':>7}{'MB':>8}")
    is_kept = memory.get(Collect.name, 0) < MOST_MB
    for name, megabytes in memory.items():
        promise = f"  {'kept' if is_kept else 'ABOVE'}: below {MOST_MB}" if name == Collect.name else ""
        print(f"{name:<102}{'':>7}{megabytes:>8.1f}{promise}")
    return is_kept


if __name__ == "__main__":
    sys.exit(main())
