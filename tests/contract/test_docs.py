"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from glimpse.cli import _parser
from glimpse.collect.dialects import DIALECTS
from glimpse.collect.endpoints import find
from glimpse.collect.routes import ROUTES
from glimpse.server.tasks import TASKS

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = [
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    CHECKOUT / "CHANGELOG.md",
    *sorted((CHECKOUT / "docs").glob("**/*.md")),
    CHECKOUT / "data" / "geo" / "README.md",
    CHECKOUT / "sdk" / "README.md",
]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", CHECKOUT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_current(generate: ModuleType):
    for name, (document, make) in generate.PARTS.items():
        text = document.read_text(encoding="utf-8")
        assert generate.with_part(text, name, make()) == text, f"{document.name} is stale: run `make docs`"


def documented_paths() -> list[str]:
    table = README.partition("## Routes")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [
        re.sub(r"^(GET|POST) ", "", path).partition("?")[0].replace("<version>", "0.1.0")
        for cell in cells
        for path in re.findall(r"`([^`]+)`", cell)
    ]


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in ROUTES])
def test_every_route_is_documented(pattern: str):
    assert any(re.fullmatch(pattern, path) for path in documented_paths())


@pytest.mark.parametrize("path", documented_paths())
def test_every_documented_route_is_there(path: str):
    assert path == "/glimpse_app" or find(path) or any(re.fullmatch(pattern, path) for pattern, _ in ROUTES)


ENDPOINTS = [endpoint.path for dialect in DIALECTS for endpoint in dialect]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_is_documented(path: str):
    own = documented_paths()
    assert path in own or f"`{path}`" in (CHECKOUT / "docs" / "migrate.md").read_text(encoding="utf-8")


def test_every_command_is_documented():
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    for name in _subcommands():
        assert f"`glimpse {name}" in table


def _subcommands() -> list[str]:
    helped = _parser().format_help()
    commands = re.findall(r"^    ([a-z]+)  +\w", helped, flags=re.MULTILINE)
    assert commands
    return commands


def test_every_dependency_has_its_reason():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = ARCHITECTURE.partition("## What it stands on")[2]
    for requirement in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9_-]+", requirement)
        assert name
        assert re.search(rf"^\|[^|]*\b{re.escape(name[0])}\b", table, flags=re.MULTILINE), (
            f"no reason is given for {name[0]}"
        )


def test_every_period_of_the_clockwork_is_in_the_architecture():
    table = ARCHITECTURE.partition("## What runs when")[2].partition("\n## ")[0]
    for task in TASKS:
        if task.name == "announce":
            continue
        period = f"{task.period_ms} ms" if task.period_ms < 1000 else f"{task.period_ms // 1000} s"
        assert f"| {period} |" in table, f"{task.name} runs every {period}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_within_the_project_leads_somewhere(document: Path):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (document.parent / target).exists(), target


def test_every_file_that_the_architecture_names_is_there():
    for name in re.findall(r"(?:[a-z_0-9]+/)*[a-z_0-9]+\.py\b", ARCHITECTURE):
        places = [CHECKOUT / name, CHECKOUT / "glimpse" / name]
        assert any(place.exists() for place in places), name


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted((CHECKOUT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (CHECKOUT / "docs" / "adr").glob("*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert headings == ["Context", "Decision", "Alternatives", "Consequences"], path.name


def test_what_the_makefile_offers_is_what_contributors_are_told():
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)$", makefile, flags=re.MULTILINE))
    told = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert set(re.findall(r"`make ([a-z-]+)", told)) <= targets
