"""Break Glimpse in one way at a time, and see that a test notices: a promise that no test holds is none.

``make mutations``; ``--only NAME...`` takes some. Each is applied to a copy of the tree, by exact text. When the text
is gone this fails, and the mutation wants to be written anew. Exits 1 when one is noticed by no test.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[1]
PIPELINE = "tests/integration/test_pipeline.py"
PRESENCE = "tests/unit/live/test_presence.py"
SESSIONS = "tests/unit/test_sessions.py"


class Mutation(NamedTuple):
    """One way to break a promise, and the tests that have to notice."""

    name: str
    path: str
    text: str
    broken: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "acknowledge-before-commit",
        "glimpse/pipeline/commits.py",
        "            self._under_way.freeze()\n",
        "            self._under_way.freeze()\n"
        "            self._committed[0] += [name for _, name in self._under_way.entries]\n",
        (f"{PIPELINE}::test_while_the_store_takes_nothing_a_kill_loses_nothing",),
    ),
    Mutation(
        "no-dedupe",
        "glimpse/pipeline/duplicates.py",
        "if mark in fresh or mark in seen or mark in stored:",
        "if mark is None:",
        (f"{PIPELINE}::test_a_retried_event_is_counted_as_a_duplicate",),
    ),
    Mutation(
        "no-reclaim",
        "glimpse/pipeline/drain.py",
        "            if not entries:\n                break\n            after = entries[-1].id\n",
        "            break\n            after = entries[-1].id\n",
        (f"{PIPELINE}::test_killed_before_the_commit_everything_is_stored_once_afterwards",),
    ),
    Mutation(
        "no-question-to-the-store",
        "glimpse/pipeline/duplicates.py",
        "known = await self._ask_store(doubtful, now_ms - SPAN_MS) if doubtful else ()",
        "known = ()",
        (f"{PIPELINE}::test_a_retry_from_before_the_start_is_found_in_the_store",),
    ),
    Mutation(
        "no-look-for-prints",
        "glimpse/pipeline/duplicates.py",
        "return [*oldest, *(pair for pair, is_there in zip(recent, printed, strict=True) if is_there)]",
        "return oldest",
        ("tests/unit/pipeline/test_forgotten_ids.py",),
    ),
    Mutation(
        "no-trim",
        "glimpse/buffer/stream.py",
        "redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3])\n",
        "",
        ("tests/integration/test_buffer.py::test_what_was_appended_is_read_in_order_and_gone_after_acknowledging",),
    ),
    Mutation(
        "no-position-in-the-transaction",
        "glimpse/store/duckdb.py",
        "            for shard, entry_id in lot.positions.items():\n",
        "            for shard, entry_id in {}.items():\n",
        (f"{PIPELINE}::test_killed_between_commit_and_acknowledgement_nothing_is_doubled",),
    ),
    Mutation(
        "no-bisect-in-the-store",
        "glimpse/store/duckdb.py",
        '            if len(rows) == 1:\n                return [(rows[0], f"the store can\'t take it: {problem}")]',
        '            return [(row, f"the store can\'t take it: {problem}") for row in rows]',
        (f"{PIPELINE}::test_a_row_that_cannot_be_stored_is_set_aside_and_the_rest_is_kept",),
    ),
    Mutation(
        "no-bisect-in-a-step",
        "glimpse/pipeline/drain.py",
        "            if len(admitted) == 1:\n                return [], [_set_aside(admitted[0], problem)]\n",
        "            return [], [_set_aside(event, problem) for event in admitted]\n",
        (f"{PIPELINE}::test_an_event_that_a_step_cannot_take_is_set_aside_and_played_again_once_it_can",),
    ),
    Mutation(
        "no-end-of-deliveries",
        "glimpse/pipeline/drain.py",
        "if deliveries > DELIVERIES_ALLOWED:",
        "if deliveries < 0:",
        (f"{PIPELINE}::test_an_entry_that_ends_whoever_takes_it_is_set_aside_and_the_others_are_stored",),
    ),
    Mutation(
        "the-group-stays-away",
        "glimpse/buffer/stream.py",
        "made again from the stream's start\")\n        await self.make_group()\n",
        "made again from the stream's start\")\n",
        ("tests/integration/test_buffer.py",),
    ),
    Mutation(
        "takes-an-evicting-redis",
        "glimpse/buffer/event_buffer.py",
        'if policy != "noeviction" and memory.get("maxmemory", 0):',
        'if policy == "never":',
        ("tests/integration/test_buffer.py::test_an_evicting_redis_is_refused_with_the_reason",),
    ),
    Mutation(
        "a-backlog-ends-sessions",
        "glimpse/sessions/tracker.py",
        "if s.heard_at >= heard or s.taken_at >= taken",
        "if s.taken_at >= taken",
        (SESSIONS,),
    ),
    Mutation(
        "a-clock-ends-sessions",
        "glimpse/sessions/tracker.py",
        "if s.heard_at >= heard or s.taken_at >= taken",
        "if s.heard_at >= heard",
        (SESSIONS,),
    ),
    Mutation(
        "ghosts-by-a-clock-ahead",
        "glimpse/live/project.py",
        "            if heard > now:  # what is stamped",
        "            if heard < 0:  # what is stamped",
        (PRESENCE,),
    ),
    Mutation(
        "ghosts-by-what-was-overtaken",
        "glimpse/live/visit.py",
        "return OVERTAKEN_MS if page is None and name != PAGE_VIEW else 0",
        "return 0",
        (PRESENCE,),
    ),
    Mutation(
        "a-clock-that-jumps",
        "glimpse/clock.py",
        "            self._ahead += max(-most, min(most, off))\n",
        "            self._ahead += off if most else 0\n",
        ("tests/unit/test_clock.py",),
    ),
)
OF_THE_PIPELINE = [mutation.name for mutation in MUTATIONS[:3]]  # which every soak tries


def copied_to(folder: Path) -> Path:
    """Copy what is under version control, or will be."""
    named = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    tree = folder / "tree"
    for name in named.stdout.splitlines():
        if (CHECKOUT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, tree / name)
    return tree


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Return pytest's exit code there, and the last lines that it said."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-3:])


def is_noticed(tree: Path, mutation: Mutation) -> str:
    """Apply one mutation, run its tests, take it back; return in a word what came of it."""
    path = tree / mutation.path
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutation.text) != 1:
        return f"NO SUCH TEXT ({whole.count(mutation.text)} times in {mutation.path})"
    path.write_text(whole.replace(mutation.text, mutation.broken), encoding="utf-8")
    code, said = run_tests(tree, mutation.tests)
    path.write_text(whole, encoding="utf-8")
    # 1: a test failed, as it should. Anything else is no test that noticed: none found, or not even begun.
    return "red" if code == 1 else f"GREEN (exit code {code}: {said})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs="*", metavar="NAME", help="names of mutations; without one, the pipeline's three"
    )
    options = parser.parse_args()
    names = (options.only or OF_THE_PIPELINE) if options.only is not None else [m.name for m in MUTATIONS]
    chosen = [mutation for mutation in MUTATIONS if mutation.name in names]
    if unknown := set(names) - {mutation.name for mutation in chosen}:
        parser.error(f"no such mutation: {', '.join(sorted(unknown))}")
    results: list[str] = []
    with tempfile.TemporaryDirectory(prefix="glimpse-mutations-") as folder:
        tree = copied_to(Path(folder))
        code, said = run_tests(tree, tuple(dict.fromkeys(test for mutation in chosen for test in mutation.tests)))
        if code != 0:
            print(f"As it is, some test is red already, so that red would mean nothing:\n{said}")
            return 1
        for mutation in chosen:
            began = time.monotonic()
            results.append(is_noticed(tree, mutation))
            print(f"{mutation.name:32} {time.monotonic() - began:5.1f} s  {results[-1]}", flush=True)
    print(f"{results.count('red')} of {len(results)} are noticed")
    return 0 if results.count("red") == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
