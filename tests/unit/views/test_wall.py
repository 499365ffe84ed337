from __future__ import annotations

import json

import pytest
from live_events import make_event

from glimpse.live import Window
from glimpse.views.dashboard import Dashboard
from glimpse.views.project_list import ProjectList
from glimpse.views.wall import TURN_EVERY_S, Wall

NOW = 1_790_000_000_000


@pytest.fixture
def window() -> Window:
    window = Window(minutes=30, max_events=1_000, now_ms=lambda: NOW)
    told = {"shop": 3, "blog": 1, "blog:bots": 9}
    window.append(
        [make_event(NOW, "page_view", f"s{n}", project=name) for name, many in told.items() for n in range(many)]
    )
    return window


def test_a_wall_goes_from_the_map_to_the_lists_to_all_projects_and_begins_again(window: Window):
    dashboard = Dashboard(window)
    at = [0.0]
    wall = Wall(dashboard.live, dashboard._head, clock=lambda: at[0])
    scenes = []
    for turn in range(4):
        at[0] = turn * TURN_EVERY_S + 1
        wall.look()
        scenes.append([name for name in dashboard.live.layout.css_classes if name.startswith("g-wall-")])
    assert scenes == [["g-wall-map"], ["g-wall-lists"], ["g-wall-projects"], ["g-wall-map"]]
    dashboard.project = "shop"
    at[0] = 2 * TURN_EVERY_S + 1
    assert wall.scene == "map"  # of one project there are two scenes


def test_a_wall_is_turned_and_held_by_hand(window: Window):
    dashboard = Dashboard(window)
    at = [0.0]
    wall = Wall(dashboard.live, dashboard._head, clock=lambda: at[0])
    wall.keys.turned += 1
    assert wall.scene == "lists"
    wall.keys.is_held = True
    at[0] = 10 * TURN_EVERY_S
    assert wall.scene == "lists"
    wall.keys.turned -= 1
    assert wall.scene == "map"
    wall.keys.is_held = False
    at[0] += TURN_EVERY_S + 1
    assert wall.scene == "lists"


def test_projects_stand_beside_each_other_only_where_all_are_looked_at(window: Window):
    shown = ProjectList(window)
    chosen: list[str] = []
    shown.on_choice(chosen.append)
    shown.pull.tick()
    lines = json.loads(shown._lines.state)["lines"]
    assert [(line["project"], line["page_views"]) for line in lines] == [("shop", 3), ("blog", 1)]
    shown._lines.picked = json.dumps(["blog", 1])
    shown._lines.picked = json.dumps(["no such project", 2])
    assert chosen == ["blog"]
    shown.pull.project = "blog"
    shown.pull.tick()
    assert "g-away" in shown.layout.css_classes
