from __future__ import annotations

from pathlib import Path

import pytest

from glimpse.panel_hook import glimpse_apps, is_glimpse_app, served_files


@pytest.mark.parametrize(
    "source",
    [
        "from glimpse.server import show_dashboard",
        "import glimpse.server",
        "from glimpse import server",
        "def app():\n    import glimpse.server as s\n",
    ],
)
def test_what_imports_the_server_is_ours_under_any_name(tmp_path: Path, source: str):
    (tmp_path / "any.py").write_text(source)
    assert is_glimpse_app(str(tmp_path / "any.py"))


@pytest.mark.parametrize(
    "source",
    [
        "import glimpse",
        "# from glimpse.server import show_dashboard",
        "text = 'import glimpse.server'",
        "from other.glimpse.server import x",
        "import panel",
        "",
    ],
)
def test_what_only_names_glimpse_is_not(tmp_path: Path, source: str):
    (tmp_path / "any.py").write_text(source)
    assert not is_glimpse_app(str(tmp_path / "any.py"))


def test_a_folder_is_judged_by_its_main(tmp_path: Path):
    (tmp_path / "main.py").write_text("import glimpse.server")
    assert is_glimpse_app(str(tmp_path))


def test_what_is_no_python_file_is_not_ours(tmp_path: Path):
    (tmp_path / "page.ipynb").write_text("import glimpse.server")
    assert not any(map(is_glimpse_app, [str(tmp_path / "page.ipynb"), str(tmp_path / "missing.py"), "5006"]))


def test_a_pattern_is_expanded_where_panel_would(tmp_path: Path):
    (tmp_path / "one.py").write_text("import glimpse.server")
    words = ["panel", "serve", str(tmp_path / "*.py")]
    assert glimpse_apps([*words, "--glob"]) == [str(tmp_path / "one.py")]
    assert glimpse_apps(words) == []


def test_arguments_for_the_app_and_values_of_options_are_not_served():
    assert served_files(["panel", "serve", "a.py", "--setup", "b.py", "--args", "c.py"]) == ["a.py"]
    assert served_files(["/venv/lib/panel/__main__.py", "serve", "a.py"]) == ["a.py"]
    assert served_files(["myprogram", "serve", "a.py"]) == []
