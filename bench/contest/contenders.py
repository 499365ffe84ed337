"""Who takes part: how each is started, what it is told, and which books it keeps."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

from contest.books import BullBooks, DrainedBooks, GlimpseBooks
from contest.server import Server

CHECKOUT = Path(__file__).parents[2]
_GLIMPSE = {
    "GLIMPSE_TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8",
    "GLIMPSE_RATE_LIMIT": "10000000,10000000",  # on, and never reached
    "GLIMPSE_BUFFER_HIGH_MARK": "100000000",  # nothing drains behind an edge alone
}


class BareTornado(Server):
    """Tornado that answers "ok"."""

    name = "a bare Tornado handler"

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, str(Path(__file__).parent / "bare_tornado.py"), str(self.port)]


class Seedstack(Server):
    """The stack to outrun, on Bun: Hono, zod, BullMQ, ioredis."""

    name = "the seed's stack on Bun"
    source = Path()

    @classmethod
    def at(cls, source: Path) -> type[Seedstack]:
        """Return it as a contender; where it was not installed, a copy is."""
        source = source.resolve()
        if not (source / "node_modules").exists():
            source = _installed_copy(source)
        return type("Seedstack", (cls,), {"source": source})

    def prepare(self) -> None:  # noqa: D102
        self.books = BullBooks(self.start_redis())

    def command(self) -> list[str]:  # noqa: D102
        bun = self.source / "node_modules/.bin/bun"
        return [str(bun) if bun.exists() else shutil.which("bun") or "bun", str(self.source / "api.mjs")]

    def environment(self) -> dict[str, str]:  # noqa: D102
        return {"PORT": str(self.port), "REDIS_PORT": str(self.redis_port), "NODE_ENV": "production"}


def _installed_copy(source: Path) -> Path:
    copy = CHECKOUT / ".build/seedstack"
    shutil.copytree(source, copy, dirs_exist_ok=True)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=copy, check=True)
    return copy


class Collect(Server):
    """`glimpse collect` with one worker."""

    name = "glimpse collect"

    def prepare(self) -> None:  # noqa: D102
        self.books = GlimpseBooks(self.start_redis())

    def command(self) -> list[str]:  # noqa: D102
        glimpse = [sys.executable, "-c", "import sys; from glimpse.cli import main; sys.exit(main())"]
        return [*glimpse, "collect", "--port", str(self.port), "--workers", "1"]

    def environment(self) -> dict[str, str]:  # noqa: D102
        redis = f"redis://127.0.0.1:{self.redis_port}/0"
        return _GLIMPSE | {"GLIMPSE_REDIS_URL": redis, "GLIMPSE_DATA_DIR": str(self.folder / "data")}


class PanelAlone(Collect):
    """Panel's port as two commands start it: the same process drains and stores too."""

    name = "Panel's port, draining too"

    def prepare(self) -> None:  # noqa: D102
        self.books = DrainedBooks(self.start_redis())

    def command(self) -> list[str]:  # noqa: D102
        app = str(CHECKOUT / "glimpse_app.py")
        return [sys.executable, "-m", "panel", "serve", app, "--port", str(self.port)]


class PanelEdge(PanelAlone):
    """Panel's port while another process drains: this one holds the lock by which one becomes that process."""

    name = "Panel's port"

    def prepare(self) -> None:  # noqa: D102
        self.books = GlimpseBooks(self.start_redis())
        (self.folder / "data").mkdir()
        self._owner_lock = (self.folder / "data/owner.lock").open("a+")
        fcntl.flock(self._owner_lock, fcntl.LOCK_EX)

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self._owner_lock.close()
