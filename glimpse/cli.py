"""The command `glimpse`: which commands and options there are; `commands.py` has what they run.

Rule of this module: what goes wrong is one line on standard error and exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glimpse import commands
from glimpse.errors import GlimpseError
from glimpse.events import LAYER_OF_BOTS
from glimpse.wire.claim import is_project

EXIT_REFUSED = 2  # the command could not run
VENDORS = ("umami", "goatcounter", "plausible")  # those of `glimpse.transfer.readers.vendors`, which is slow to import
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (GlimpseError, ValueError, OSError, ModuleNotFoundError) as problem:
        print(f"glimpse {options.command}: {problem}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="glimpse", description="Real-time web analytics: sessions, not people.")
    parser.add_argument("--version", action="version", version=f"glimpse {version('glimpse')}")
    steps = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(steps, "demo", commands.demo, "serve the dashboard and a demo shop, with simulated visitors")
    demo.add_argument("--port", type=int, default=5006, help="port to serve on (default: 5006)")
    demo.add_argument("--no-browser", action="store_true", help="don't open the dashboard in a browser")
    _add_traffic(demo, rate=25, past="1h")

    collect = _command(steps, "collect", commands.collect, "take events over HTTP, fast and without a dashboard")
    collect.add_argument("--port", type=int, default=5006, help="port to listen on (default: 5006)")
    collect.add_argument("--host", help="address to listen on (default: every one)")
    collect.add_argument("--workers", type=_positive, default=1, help="processes that share the port (default: 1)")
    collect.add_argument("--unix-socket", type=Path, metavar="PATH", help="listen there instead of on a port")

    _command(steps, "work", commands.work, "drain and keep the store, for servers that only collect or show")

    simulate = _command(steps, "simulate", commands.simulate, "send simulated visitors' events to a server")
    simulate.add_argument("--url", default="http://localhost:5006", help="address of the server (default: %(default)s)")
    simulate.add_argument("--project", default="demo", help="project the events are for (default: demo)")
    simulate.add_argument("--duration", type=_seconds, help="stop after so long, such as 90s, 5m or 2h")
    simulate.add_argument("--connections", type=_positive, default=16, help="requests under way at once (default: 16)")
    _add_traffic(simulate, rate=20, past="0s")

    project = _command(steps, "project", None, "register projects and set what holds for them")
    _add_project_steps(project.add_subparsers(dest="step", required=True, metavar="STEP"))

    _add_live_options(_command(steps, "live", commands.live, "print what is happening now on a server that runs"))

    segment = _command(steps, "segment", None, "save filters under names, to be used as --segment and segment=")
    _add_segment_steps(segment.add_subparsers(dest="step", required=True, metavar="STEP"))

    letters = _command(steps, "dead-letters", None, "look at events that could not be stored, and play them again")
    _add_letter_steps(letters.add_subparsers(dest="step", required=True, metavar="STEP"))

    _add_export_options(
        _command(steps, "export", commands.export, "write stored events to a file, or everything to a folder")
    )
    take = _command(
        steps, "import", commands.import_, "take in what `glimpse export` or another tracker wrote; twice is as once"
    )
    take.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of rows, or folders of them")
    take.add_argument("--project", help="whose the rows of another tracker's export are to be")
    take.add_argument(
        "--from", dest="vendor", choices=VENDORS, help="whose export it is (default: the file's head says it)"
    )

    geo = _command(steps, "geo", None, "build or update the database of places")
    nested = geo.add_subparsers(dest="step", required=True, metavar="STEP")
    build = _command(nested, "build", commands.geo_build, "make the compact database from full ones")
    build.add_argument("sources", nargs="+", type=Path, help="city databases (mmdb or CSV), or folders of them")
    build.add_argument("--borders", type=Path, help="world-atlas' countries-50m.json, to make the borders of too")
    build.add_argument("--out", type=Path, default=Path("data/geo"), help="folder (default: %(default)s)")
    _command(nested, "update", commands.geo_update, "fetch a newer city database into the data folder")

    doctor = _command(
        steps, "doctor", commands.doctor, "see whether everything that Glimpse needs is there and in order"
    )
    doctor.add_argument("--site", metavar="URL", help="look whether events of a page arrive, and what is in their way")
    doctor.add_argument("--url", help="look at a running site through its proxy too, such as https://stats.example.com")
    _command(steps, "settings", commands.settings, "print all settings, as a table in Markdown")
    return parser


def _command(
    steps: Any, name: str, run: Callable[[argparse.Namespace], int] | None, what: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = steps.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    if run:
        parser.set_defaults(run=run)
    return parser


def _add_project_steps(steps: Any) -> None:
    example = "such as origins=https://shop.example; `glimpse project show` has all of them"
    add = _command(
        steps, "add", commands.project_add, "register a project; from the first on, only registered ones are taken"
    )
    add.add_argument("project", help="its id, as events have it")
    add.add_argument("settings", nargs="*", default=[], metavar="SETTING=VALUE", help=example)
    change = _command(
        steps, "set", commands.project_set, "change settings of a project; without a value, to the default"
    )
    change.add_argument("project", help="its id")
    change.add_argument("settings", nargs="+", metavar="SETTING=VALUE", help=example)
    _command(steps, "show", commands.project_show, "print all settings of a project, and what they are").add_argument(
        "project"
    )
    _command(steps, "rm", commands.project_rm, "take a project off the list; its events stay").add_argument("project")
    _command(steps, "list", commands.project_list, "print the projects that are registered")


def _add_live_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default="http://localhost:5006", help="address of the server (default: %(default)s)")
    parser.add_argument("--project", default="*", help="one project (default: all)")
    parser.add_argument("--where", help="which events: a filter, such as 'country = \"DE\"'")
    parser.add_argument("--segment", metavar="NAME", help="a saved filter of the project, or of all")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one line of JSON, as /api/v1/live answers")
    parser.add_argument("--follow", action="store_true", dest="follows", help="go on whenever a number has changed")


def _add_segment_steps(steps: Any) -> None:
    shown = _command(steps, "list", commands.segment_list, "print saved filters")
    shown.add_argument(
        "--project", type=_project, default="*", help="those that can be used for one project (default: all there are)"
    )
    save = _command(steps, "set", commands.segment_set, "save a filter, in place of one of that name")
    save.add_argument("name", metavar="NAME", help="its name")
    save.add_argument("filter", metavar="FILTER", help="such as 'country = \"DE\"'")
    gone = _command(steps, "rm", commands.segment_rm, "forget a name")
    gone.add_argument("name", metavar="NAME", help="its name")
    for step in (save, gone):
        step.add_argument("--project", type=_project, default="*", help="whose it is (default: of all)")


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "to", type=Path, help="file that ends in .parquet, .csv, .ndjson, .json or .arrows; a folder with --all"
    )
    parser.add_argument("--project", type=_project, default="*", help="one project (default: all)")
    parser.add_argument(
        "--since", help="from when on: an age such as 30d, ISO 8601 or epoch milliseconds (default: all)"
    )
    parser.add_argument("--until", help="before when, likewise")
    parser.add_argument("--where", help="which events: a filter, such as 'country = \"DE\"'")
    parser.add_argument("--segment", metavar="NAME", help="a saved filter of the project, or of all")
    parser.add_argument(
        "--sessions", action="store_true", dest="is_sessions", help="the sessions instead of the events"
    )
    parser.add_argument(
        "--all", action="store_true", dest="is_all", help="a back-up: all that is stored, of one moment"
    )


def _add_letter_steps(steps: Any) -> None:
    _command(steps, "list", commands.letters_list, "print them, each with its key and its reason")
    again = _command(steps, "replay", commands.letters_replay, "put them back into the buffer")
    again.add_argument("keys", nargs="*", default=[], metavar="KEY", help="which, as `list` prints them")
    again.add_argument("--all", action="store_true", dest="is_all", help="all of them")


def _add_traffic(parser: argparse.ArgumentParser, rate: int, past: str) -> None:
    parser.add_argument("--rate", type=float, default=rate, help="events a second (default: %(default)s)")
    parser.add_argument("--sessions", type=_positive, help="sessions at once (default: as many as the rate sustains)")
    parser.add_argument("--seed", type=int, help="repeat the visitors of an earlier run with this seed")
    parser.add_argument(
        "--past",
        type=_seconds,
        default=past,
        metavar="SPAN",
        help="for how long visitors have come before it begins, such as 30m or 6d (default: %(default)s)",
    )


def _project(text: str) -> str:
    if text != "*" and not is_project(text.removesuffix(LAYER_OF_BOTS)):
        raise argparse.ArgumentTypeError(f"{text!r} is no project: * or 1 to 64 of the characters A-Z a-z 0-9 . _ : -")
    return text


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return int(text)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time: write 90s, 5m or 2h")
    return float(found[1]) * _UNITS_S[found[2]]


if __name__ == "__main__":
    sys.exit(main())
