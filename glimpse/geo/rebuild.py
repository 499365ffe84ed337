"""Make all of ``data/geo/`` anew, in one go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glimpse.geo.borders_build import build_borders
from glimpse.geo.build import BuildReport, Progress, build, no_progress
from glimpse.geo.gazetteer import load_geonames
from glimpse.geo.tables import build_tables


def rebuild(
    sources: Sequence[Path], folder: Path, *, world_atlas: Path | None = None, on_progress: Progress = no_progress
) -> BuildReport:
    """Write ``places.mmdb``, the tables that go with it, and the borders.

    Parameters
    ----------
    sources
        Full city databases, as :func:`glimpse.geo.build.build` takes them.
    folder
        Where to write to.
    world_atlas
        ``countries-50m.json`` of npm's `world-atlas`; without it, borders stay as they are.

    Raises
    ------
    GeoDataError
        A source can't be used.
    """
    on_progress("loading GeoNames", 0.0)
    gazetteer = load_geonames()
    folder.mkdir(parents=True, exist_ok=True)
    report = build(sources, folder / "places.mmdb", gazetteer=gazetteer, on_progress=on_progress)
    build_tables(report.path, folder, gazetteer=gazetteer)
    if world_atlas is not None:
        build_borders(world_atlas, folder, gazetteer=gazetteer)
    return report
