"""Environments with the other Pythons and Panels that `pyproject.toml` allows, made once and kept in `.build/versions`.

An interpreter is one of this machine's, on the PATH or pyenv's; a Panel is one that pip finds for it. Nothing is
assumed about either: what is not here is left out, and whoever asks is told.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

CHECKOUT = Path(__file__).parents[1]
KEPT = CHECKOUT / ".build" / "versions"
_PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_TOOLS = ("pytest", "pytest-asyncio", "pytest-timeout", "hypothesis", "mmdb-writer", "playwright")
_TELL = """
import json, sys
from importlib.metadata import version
names = ("panel", "bokeh", "holoviews", "geoviews", "cartopy", "tornado")
print(json.dumps({"python": sys.version.split()[0]} | {name: version(name) for name in names}))
"""


class Pair(NamedTuple):
    """A Python, by its minor version, and a Panel."""

    minor: int
    panel: Version

    def __str__(self) -> str:
        return f"Python 3.{self.minor}, Panel {self.panel}"


def allowed_minors() -> list[int]:
    """Return the minor versions of Python 3 that the package may be installed on, oldest first."""
    allowed = SpecifierSet(_PROJECT["requires-python"])
    return [minor for minor in range(30) if f"3.{minor}" in allowed]


def allowed_panels() -> SpecifierSet:
    """Return what the package asks of Panel."""
    asked = [Requirement(line) for line in _PROJECT["dependencies"]]
    return next(requirement.specifier for requirement in asked if requirement.name == "panel")


@cache
def found_panels(minor: int) -> list[Version]:
    """Return all releases of Panel that pip finds for a Python, oldest first."""
    asked = [sys.executable, "-m", "pip", "index", "versions", "panel", "--python-version", f"3.{minor}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    listed = [line for line in done.stdout.splitlines() if line.startswith("Available versions:")]
    assert listed, f"pip found no Panel for Python 3.{minor}:\n{done.stdout}{done.stderr[-1000:]}"
    return sorted(map(Version, listed[0].partition(":")[2].replace(" ", "").split(",")))


def panels_of(minor: int) -> list[Version]:
    """Return those releases of Panel that the package allows and pip finds for a Python, oldest first."""
    return list(allowed_panels().filter(found_panels(minor)))


@cache
def python_of(minor: int) -> str | None:
    """Return an interpreter of this version, or nothing when this machine has none that runs."""
    if minor == sys.version_info[1]:
        return sys.executable
    name = f"python3.{minor}"
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # On the PATH may be a version manager's stand-in for a version that is not chosen.
    candidates = [shutil.which(name), *map(str, sorted(root.glob(f"versions/3.{minor}.*/bin/{name}"), reverse=True))]
    return next((python for python in candidates if python and _is_version(python, minor)), None)


def _is_version(python: str, minor: int) -> bool:
    asked = [python, "-c", "import sys, venv, ensurepip; print(sys.version_info[1])"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == str(minor)


def here() -> Pair:
    """Return what this process runs on."""
    return Pair(sys.version_info[1], Version(told(sys.executable)["panel"]))


def told(python: str) -> dict[str, str]:
    """Return the versions that an environment really has, by name."""
    return json.loads(_run([python, "-c", _TELL]).stdout)


def environment(pair: Pair) -> str:
    """Return the interpreter of an environment with this pair, the working tree and the tools of the tests.

    It is made anew when `pyproject.toml` has changed. Each dependency is the one that pip chooses beside that Panel.
    """
    if pair == here():
        return sys.executable
    folder = KEPT / f"python3.{pair.minor}-panel{pair.panel}"
    python, stamp = str(folder / "bin" / "python"), folder / "made-for"
    with _alone():
        if not stamp.exists() or stamp.read_text() != _fingerprint():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, pair)
            stamp.write_text(_fingerprint())
    has = told(python)
    assert (has["python"].split(".")[1], has["panel"]) == (str(pair.minor), str(pair.panel)), has
    return python


def _make(folder: Path, pair: Pair) -> None:
    base = python_of(pair.minor)
    assert base, f"this machine has no Python 3.{pair.minor}"
    _run([base, "-m", "venv", str(folder)])
    tools = [line for line in _PROJECT["optional-dependencies"]["dev"] if Requirement(line).name in _TOOLS]
    wanted = ["--editable", f"{CHECKOUT}[geo-build]", f"panel=={pair.panel}", *tools]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *wanted])


def _fingerprint() -> str:
    return hashlib.sha256((CHECKOUT / "pyproject.toml").read_bytes() + repr(_TOOLS).encode()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_tests(python: str, *selection: str) -> subprocess.CompletedProcess[str]:
    """Run some of the tests in an environment."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "VIRTUAL", "COV"))}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selection]
    return subprocess.run(command, cwd=CHECKOUT, env=own, capture_output=True, text=True, check=False)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done
