"""The questions of `bench/queries.py` in pandas, over frames of events and sessions in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from rivals.month import SINCE, UNTIL

HALF = pd.Timestamp((SINCE + UNTIL) // 2, unit="ms")
Frame = pd.DataFrame


def _counts(events: Frame, by: Any) -> Frame:
    grouped = events.assign(is_view=events["name"] == "page_view").groupby(by, observed=True, dropna=False)
    return grouped.agg(events=("time", "size"), page_views=("is_view", "sum"), sessions=("session_id", "nunique"))


def _local(events: Frame, unit: str) -> Any:
    return events["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.floor(unit, ambiguous="NaT")


def _buys(events: Frame) -> Frame:
    return events[events["name"] == "buy"]


def _page_steps(events: Frame) -> Frame:
    views = events.loc[events["name"] == "page_view", ["session_id", "time", "page"]].sort_values(
        ["session_id", "time"]
    )
    views["page"] = views["page"].astype("object")
    views["before"] = views.groupby("session_id")["page"].shift()
    steps = views[views["before"].notna() & (views["before"] != views["page"])]
    counts = steps.groupby(["before", "page"]).agg(steps=("time", "size"), sessions=("session_id", "nunique"))
    return counts.nlargest(20, "steps")


def _funnel(events: Frame) -> list[int]:
    begin = events[events["name"] == "page_view"].groupby("session_id")["time"].min()
    at, counts = begin, [len(begin)]
    for name in ("add_to_cart", "buy"):
        step = events.loc[events["name"] == name, ["session_id", "time"]]
        step = step[step["session_id"].isin(at.index)]
        later = step[
            (step["time"] > step["session_id"].map(at))
            & (step["time"] <= step["session_id"].map(begin) + pd.Timedelta(seconds=1800))
        ]
        at = later.groupby("session_id")["time"].min()
        counts.append(len(at))
    return counts


def _vitals(events: Frame) -> Any:
    measured = events[events["name"] == "web_vital"]
    read = pd.DataFrame([json.loads(text) for text in measured["properties"]], index=measured.index)
    values = read.assign(page=measured["page"]).groupby(["page", "metric"], observed=True)["value"]
    return values.quantile(0.75, interpolation="higher")


def _retention(sessions: Frame) -> Frame:
    day = sessions["started_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.floor("D")
    still = {f"after_{after}": sessions["duration_s"] >= after for after in (10, 30, 60, 180, 600, 1800)}
    return sessions.assign(day=day, **still).groupby(["day", "source"], dropna=False)[list(still)].agg(["sum", "size"])


def _by_page(sessions: Frame, page: str) -> Frame:
    grouped = sessions.groupby(page, dropna=False)
    return grouped.agg(sessions=("id", "size"), bounces=("is_bounce", "sum"), mean=("duration_s", "mean")).nlargest(
        10, "sessions"
    )


def _conversion(events: Frame) -> Frame:
    buyers = set(_buys(events)["session_id"])
    apart = events[["source", "session_id"]].drop_duplicates()
    return (
        apart.assign(did=apart["session_id"].isin(buyers))
        .groupby("source", observed=True, dropna=False)["did"]
        .agg(["size", "sum"])
    )


def _plans(events: Frame) -> Frame:
    bought = _buys(events)
    return _counts(bought, bought["properties"].map(lambda text: json.loads(text).get("plan")))


PANDAS: dict[str, Callable[[Frame, Frame], Any]] = {
    "totals": lambda e, s: (len(e), (e["name"] == "page_view").sum(), e["session_id"].nunique(), s["is_bounce"].sum()),
    "comparison": lambda e, s: _counts(e, e["time"] >= HALF),
    "series by day": lambda e, s: _counts(e, _local(e, "D")),
    "series by hour": lambda e, s: _counts(e, _local(e, "h")),
    "top pages": lambda e, s: _counts(e[e["name"] == "page_view"], "page").nlargest(10, "events"),
    "top names": lambda e, s: _counts(e, "name").nlargest(10, "events"),
    "countries by sessions, phones": lambda e, s: _counts(e[e["device"] == "phone"], "country").nlargest(
        10, "sessions"
    ),
    "a property's values": lambda e, s: _plans(e),
    "entry pages": lambda e, s: _by_page(s, "entry_page"),
    "exit pages": lambda e, s: _by_page(s, "exit_page"),
    "paths": lambda e, s: _page_steps(e),
    "funnel": lambda e, s: _funnel(e),
    "retention": lambda e, s: _retention(s),
    "vitals by page": lambda e, s: _vitals(e),
    "goals": lambda e, s: (len(_buys(e)), _buys(e)["session_id"].nunique(), e["session_id"].nunique()),
    "conversion by source": lambda e, s: _conversion(e),
    "sessions with a purchase": lambda e, s: s[s["id"].isin(_buys(e)["session_id"])].nlargest(100, "started_at"),
    "newest events": lambda e, s: e.nlargest(100, "time"),
}
