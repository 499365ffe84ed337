"""The command `glimpse`: `demo`, `simulate`, `geo`, `doctor`, `settings`.

Rule of this module: what goes wrong is one line on standard error and exit code 2, never a traceback. What a command
needs is imported when it runs, so that `glimpse --help` answers at once.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from glimpse.errors import GlimpseError
from glimpse.settings import Settings, settings_table

if TYPE_CHECKING:
    from glimpse.traffic.sender import Account

EXIT_WRONG = 1  # the command ran, and what it found is wrong
EXIT_REFUSED = 2  # the command could not run
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (GlimpseError, ValueError, FileNotFoundError, ModuleNotFoundError) as problem:
        print(f"glimpse {options.command}: {problem}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="glimpse", description="Real-time web analytics: sessions, not people.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "serve the dashboard and a demo shop, with simulated visitors")
    demo.add_argument("--port", type=int, default=5006, help="port to serve on (default: 5006)")
    demo.add_argument("--no-browser", action="store_true", help="don't open the dashboard in a browser")
    _add_traffic(demo, rate=25)

    simulate = _command(commands, "simulate", _simulate, "send simulated visitors' events to a server")
    simulate.add_argument("--url", default="http://localhost:5006", help="address of the server (default: %(default)s)")
    simulate.add_argument("--project", default="demo", help="project the events are for (default: demo)")
    simulate.add_argument("--duration", type=_seconds, help="stop after so long, such as 90s, 5m or 2h")
    simulate.add_argument("--connections", type=_positive, default=16, help="requests under way at once (default: 16)")
    _add_traffic(simulate, rate=20)

    geo = _command(commands, "geo", None, "build or update the database of places")
    steps = geo.add_subparsers(dest="step", required=True, metavar="STEP")
    build = _command(steps, "build", _geo_build, "make the compact database from full ones")
    build.add_argument("sources", nargs="+", type=Path, help="city databases (mmdb or CSV), or folders of them")
    build.add_argument("--borders", type=Path, help="world-atlas' countries-50m.json, to make the borders of too")
    build.add_argument("--out", type=Path, default=Path("data/geo"), help="folder (default: %(default)s)")
    _command(steps, "update", _geo_update, "fetch a newer city database into the data folder")

    _command(commands, "doctor", _doctor, "see whether everything that Glimpse needs is there and in order")
    _command(commands, "settings", _settings, "print all settings, as a table in Markdown")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int] | None, what: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    if run:
        parser.set_defaults(run=run)
    return parser


def _add_traffic(parser: argparse.ArgumentParser, rate: int) -> None:
    parser.add_argument("--rate", type=float, default=rate, help="events a second (default: %(default)s)")
    parser.add_argument("--sessions", type=_positive, help="sessions at once (default: as many as the rate sustains)")
    parser.add_argument("--seed", type=int, help="repeat the visitors of an earlier run with this seed")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return int(text)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time: write 90s, 5m or 2h")
    return float(found[1]) * _UNITS_S[found[2]]


def _demo(options: argparse.Namespace) -> int:
    from glimpse.demo import Demo

    demo = Demo(
        settings=Settings.from_environment(),
        port=options.port,
        rate=options.rate,
        sessions=options.sessions,
        seed=options.seed,
        opens_browser=not options.no_browser,
    )
    return asyncio.run(demo.run())


def _simulate(options: argparse.Namespace) -> int:
    from glimpse.traffic.simulate import Simulation, simulate, until_interrupted

    simulation = Simulation(
        url=options.url,
        rate=options.rate,
        sessions=options.sessions,
        seed=options.seed,
        project=options.project,
        duration_s=options.duration,
        connections=options.connections,
    )
    total = round(simulation.rate * simulation.duration_s) if simulation.duration_s else None
    with tqdm(total=total, unit=" events", dynamic_ncols=True, desc=f"to {simulation.site}") as bar:
        report = asyncio.run(until_interrupted(simulate(simulation, on_progress=lambda account: _show(bar, account))))
    print(report)
    return 0 if report.account.accepted else EXIT_WRONG


def _show(bar: tqdm[Any], account: Account) -> None:
    bar.set_postfix(dropped=account.dropped.total(), failed=account.failed.total(), refresh=False)
    bar.update(account.sent - bar.n)


def _geo_build(options: argparse.Namespace) -> int:
    from glimpse.geo.borders_build import build_borders
    from glimpse.geo.build import build
    from glimpse.geo.gazetteer import load_geonames
    from glimpse.geo.tables import build_tables

    named = [*options.sources, *([options.borders] if options.borders else [])]
    if missing := [str(path) for path in named if not path.exists()]:
        raise FileNotFoundError(f"there is no {', '.join(missing)}")
    options.out.mkdir(parents=True, exist_ok=True)
    gazetteer = load_geonames()
    with tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}") as bar:

        def show(doing: str, share: float) -> None:
            bar.set_description(doing, refresh=False)
            bar.update(round(share * 100) - bar.n)

        places = options.out / "places.mmdb"
        report = build(options.sources, places, gazetteer=gazetteer, on_progress=show)
    build_tables(places, options.out, gazetteer=gazetteer)
    if options.borders:
        build_borders(options.borders, options.out, gazetteer=gazetteer)
    print(
        f"{report.path}: {report.cities:,} cities from {report.source_networks:,} networks, {report.size_bytes:,} bytes"
    )
    return 0


def _geo_update(_options: argparse.Namespace) -> int:
    from glimpse.geo.places import UPDATED_NAME
    from glimpse.geo.update import update

    settings = Settings.from_environment()
    with tqdm(unit="B", unit_scale=True, unit_divisor=1024, dynamic_ncols=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = update(
            settings.data_dir / UPDATED_NAME,
            account_id=settings.maxmind_account_id,
            license_key=settings.maxmind_license_key,
            on_progress=show,
        )
    print(f"{report.path}: {report.database} of {report.built_at:%Y-%m-%d}, {report.size_bytes:,} bytes")
    print("A server on this data folder takes it up within seconds.")
    return 0


def _doctor(_options: argparse.Namespace) -> int:
    from glimpse.doctor import examine

    findings = asyncio.run(examine(Settings.from_environment()))
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        print(f"{'ok   ' if finding.is_sound else 'WRONG'}  {finding.part:{width}}  {finding.told}")
    return 0 if all(finding.is_sound for finding in findings) else EXIT_WRONG


def _settings(_options: argparse.Namespace) -> int:
    print(settings_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
