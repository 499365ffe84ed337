"""What each command of `glimpse` runs: takes its options, prints, and returns the exit code.

Rule of this module: what a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from glimpse.errors import SettingsError
from glimpse.settings import Settings, settings_table

if TYPE_CHECKING:
    from glimpse.traffic.sender import Account

PROJECTS = "projects.json"  # of a back-up
EXIT_WRONG = 1  # the command ran, and what it found is wrong


def demo(options: argparse.Namespace) -> int:
    """Serve and simulate until interrupted."""
    from glimpse.demo import Demo

    demo = Demo(
        settings=Settings.from_environment(),
        port=options.port,
        rate=options.rate,
        sessions=options.sessions,
        seed=options.seed,
        past_s=options.past,
        opens_browser=not options.no_browser,
    )
    return asyncio.run(demo.run())


def collect(options: argparse.Namespace) -> int:
    """Take events until told to stop."""
    from glimpse.collect.server.supervisor import Address, collect

    collect(Settings.from_environment(), Address(options.host, options.port, options.unix_socket), options.workers)
    return 0


def work(_options: argparse.Namespace) -> int:
    """Drain until told to stop."""
    from glimpse.server.event_loop import use_uvloop
    from glimpse.server.work import work

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = Settings.from_environment()
    if not settings.drains:
        raise SettingsError("GLIMPSE_DRAIN=0 forbids what `glimpse work` is for")
    use_uvloop()
    asyncio.run(work(settings))
    return 0


def simulate(options: argparse.Namespace) -> int:
    """Send visitors' events with a progress bar."""
    from glimpse.traffic.simulate import Simulation, simulate, until_interrupted

    simulation = Simulation(
        url=options.url,
        rate=options.rate,
        sessions=options.sessions,
        seed=options.seed,
        project=options.project,
        duration_s=options.duration,
        past_s=options.past,
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


def project_add(options: argparse.Namespace) -> int:
    """Register a project."""
    from glimpse.project_command import add

    return _told(add(Settings.from_environment(), options.project, options.settings))


def project_set(options: argparse.Namespace) -> int:
    """Change a project's settings."""
    from glimpse.project_command import change

    return _told(change(Settings.from_environment(), options.project, options.settings))


def project_rm(options: argparse.Namespace) -> int:
    """Take a project off the list."""
    from glimpse.project_command import remove

    return _told(remove(Settings.from_environment(), options.project))


def project_show(options: argparse.Namespace) -> int:
    """Print a project's settings."""
    from glimpse.project_command import show

    return _told(show(Settings.from_environment(), options.project))


def project_list(_options: argparse.Namespace) -> int:
    """Print the projects."""
    from glimpse.project_command import show_list

    return _told(show_list(Settings.from_environment()))


def _told(work: Coroutine[Any, Any, str]) -> int:
    print(asyncio.run(work))
    return 0


def live(options: argparse.Namespace) -> int:
    """Print what is happening now."""
    from glimpse.live_command import Asked, follow, show

    asked = Asked(options.url, options.project, options.where, options.segment)
    try:
        (follow if options.follows else show)(asked, as_json=options.as_json)
    except BrokenPipeError:  # whoever read has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def segment_list(options: argparse.Namespace) -> int:
    """Print saved filters."""
    from glimpse.segment_command import show

    return _told(show(Settings.from_environment(), options.project))


def segment_set(options: argparse.Namespace) -> int:
    """Save a filter under a name."""
    from glimpse.segment_command import save

    return _told(save(Settings.from_environment(), options.project, options.name, options.filter))


def segment_rm(options: argparse.Namespace) -> int:
    """Forget a saved filter."""
    from glimpse.segment_command import remove

    return _told(remove(Settings.from_environment(), options.project, options.name))


def letters_list(_options: argparse.Namespace) -> int:
    """Print the dead letters."""
    from glimpse.letters_command import show_letters

    return _told(show_letters(Settings.from_environment()))


def letters_replay(options: argparse.Namespace) -> int:
    """Put dead letters back into the buffer."""
    from glimpse.letters_command import replay

    if bool(options.keys) == options.is_all:
        raise ValueError("name the keys of letters, or say --all")
    told, is_done = asyncio.run(replay(Settings.from_environment(), options.keys, is_all=options.is_all))
    print(told)
    return 0 if is_done else EXIT_WRONG


def export(options: argparse.Namespace) -> int:
    """Write what is stored to a file, or all of it to a folder."""
    from glimpse.transfer_command import back_up, export

    settings = Settings.from_environment()
    if not options.is_all:
        return _told(export(settings, options))
    from glimpse.project_command import write_all

    return _told(back_up(settings, options.to)) or _told(write_all(settings, options.to / PROJECTS))


def import_(options: argparse.Namespace) -> int:
    """Take files of rows in."""
    from glimpse.transfer_command import bring

    told, is_whole = asyncio.run(bring(Settings.from_environment(), options.files, options.project, options.vendor))
    print(told)
    for file in (path / PROJECTS for path in options.files if (path / PROJECTS).exists()):
        from glimpse.project_command import read_all

        _told(read_all(Settings.from_environment(), file))
    return 0 if is_whole else EXIT_WRONG


def geo_build(options: argparse.Namespace) -> int:
    """Make the compact database of places."""
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


def geo_update(_options: argparse.Namespace) -> int:
    """Fetch a newer database of places."""
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


def doctor(options: argparse.Namespace) -> int:
    """Print what was found of each part."""
    from glimpse.doctor import examine

    findings = asyncio.run(examine(Settings.from_environment(), options.url, options.site))
    width = max(len(finding.part) for finding in findings)
    for finding in findings:
        print(f"{finding.verdict:5}  {finding.part:{width}}  {finding.told}")
        if finding.mend:
            print(f"{'':5}  {'':{width}}  mend it: {finding.mend}")
    return 0 if all(finding.is_sound for finding in findings) else EXIT_WRONG


def settings(_options: argparse.Namespace) -> int:
    """Print the table of settings."""
    print(settings_table())
    return 0
