"""What `import panel` loads of Glimpse: nothing, unless this process is `panel serve` with a Glimpse app.

Panel imports the entry points of the group `panel.auth` before it builds its server, which is the one moment when a
package can take part without a flag. Rule of this module: the standard library only, quick, and no exception leaves it,
because it runs in every process that imports Panel, notebooks too.
"""

from __future__ import annotations

import sys

# The entry point asks for a value; Panel offers it as a login provider that nobody chooses.
NO_PROVIDER = None


def served_files(argv: list[str]) -> list[str]:
    """Return what `panel serve` was told to serve, or nothing when this is another command."""
    if len(argv) < 3 or argv[1] != "serve" or not _is_panel(argv[0]):
        return []
    words = argv[2 : argv.index("--args") if "--args" in argv else None]
    options = {i for i, word in enumerate(words) if word in ("--setup", "--index")}
    return [word for i, word in enumerate(words) if not word.startswith("-") and i - 1 not in options]


def _is_panel(program: str) -> bool:
    path = program.replace("\\", "/")
    if path == "-m":  # `python -m panel`, while Python still looks for the module
        return sys.orig_argv[-len(sys.argv) - 1 :][:2] == ["-m", "panel"]
    return path.rsplit("/", 1)[-1] in ("panel", "panel.exe", "panel-script.py") or path.endswith("/panel/__main__.py")


def is_glimpse_app(word: str) -> bool:
    """Whether a file, or a folder's main.py, imports `glimpse.server`. Its name says nothing: it may be a copy."""
    import ast  # noqa: PLC0415 - only where something is served
    from pathlib import Path  # noqa: PLC0415

    path = Path(word) / "main.py" if Path(word).is_dir() else Path(word)
    if path.suffix != ".py" or not path.is_file():
        return False
    source = path.read_bytes()
    return b"glimpse" in source and any(map(_imports_server, ast.walk(ast.parse(source))))


def _imports_server(node: object) -> bool:
    import ast  # noqa: PLC0415

    if isinstance(node, ast.ImportFrom):
        return node.module == "glimpse.server" or (node.module == "glimpse" and "server" in _names(node))
    return isinstance(node, ast.Import) and "glimpse.server" in _names(node)


def _names(node: object) -> list[str]:
    return [alias.name for alias in getattr(node, "names", [])]


def glimpse_apps(argv: list[str]) -> list[str]:
    """Return those of the served files that are Glimpse apps."""
    words = served_files(argv)
    if "--glob" in argv:
        from glob import glob  # noqa: PLC0415

        words = [match for word in words for match in glob(word)]  # noqa: PTH207 - as Panel itself does
    return [word for word in words if is_glimpse_app(word)]


def _take_part() -> None:
    try:
        if apps := glimpse_apps(sys.argv):
            from glimpse.server.panel_server import take_part  # noqa: PLC0415

            take_part(apps)
    except Exception as problem:  # noqa: BLE001 - whatever it is, `import panel` must go on
        print(f"Glimpse can't take part in this server: {problem!r}", file=sys.stderr)  # noqa: T201


_take_part()
