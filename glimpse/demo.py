"""`glimpse demo`: a server in a process of its own, and simulated visitors who come to its shop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

import msgspec
from tqdm import tqdm

from glimpse import resources
from glimpse.errors import GlimpseError, SettingsError
from glimpse.settings import Settings, environment_with
from glimpse.traffic.sender import Account
from glimpse.traffic.simulate import Simulation, simulate, until_interrupted

PROJECT = "demo"
HOME = "52.37,4.90"  # where the shop's goods are sent from
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve, and how busy it is."""

    settings: Settings
    port: int = 5006
    rate: float = 25.0
    sessions: int | None = None
    seed: int | None = None
    past_s: float = 0.0
    opens_browser: bool = True

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://localhost:{self.port}"

    @property
    def dashboard(self) -> str:
        """Address of the dashboard."""
        return f"{self.url}/glimpse_app?project={PROJECT}"

    async def run(self) -> int:
        """Serve until interrupted; return the exit code.

        Raises
        ------
        GlimpseError
            When the port is taken, or the server does not start; the message holds its last words.
        """
        simulation = Simulation(
            url=self.url,
            rate=self.rate,
            sessions=self.sessions,
            seed=self.seed,
            project=PROJECT,
            past_s=self.past_s,
        )
        _refuse_taken(self.port)
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        log = self.settings.data_dir / "server.log"
        server = _serve(self.settings, self.port, log)
        try:
            return await until_interrupted(self._show(simulation, server, log))
        finally:
            print("\nStopping: what was taken goes to the store first.")
            await asyncio.to_thread(_stop, server)

    async def _show(self, simulation: Simulation, server: subprocess.Popen[bytes], log: Path) -> int:
        with contextlib.suppress(asyncio.CancelledError):
            print("Starting the server …")
            await _wait_for(self.port, server, log)
            print(self._greeting(log))
            if self.opens_browser and _has_graphical_browser():
                webbrowser.open(self.dashboard)
            await self._simulate(simulation, server, log)
        return 0

    async def _simulate(self, simulation: Simulation, server: subprocess.Popen[bytes], log: Path) -> None:
        with tqdm(unit=" events", dynamic_ncols=True, desc="Simulated visitors", disable=None) as bar:

            def show(account: Account) -> None:
                if server.poll() is not None:
                    raise _ended(server, log)
                bar.update(account.accepted - bar.n)

            await simulate(simulation, on_progress=show)

    def _greeting(self, log: Path) -> str:
        return (
            f"\n  Dashboard  {self.dashboard}\n"
            f"  Demo shop  {self.url}/demo\n"
            f"  Server log {log}\n\n"
            "Visit the shop in a second tab, and watch yourself on the map. Ctrl-C stops everything.\n"
        )


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except (OSError, OverflowError) as problem:
            raise SettingsError(f"port {port} can't be used ({problem}); name another with --port") from None


def _serve(settings: Settings, port: int, log: Path) -> subprocess.Popen[bytes]:
    app = resources.path("glimpse_app.py")
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - this Python, this package's app
            [sys.executable, "-m", "panel", "serve", str(app), "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment_with(GLIMPSE_TAKES_DEMO="1", **({} if settings.home else {"GLIMPSE_HOME": HOME})),
            start_new_session=True,  # Ctrl-C is for this process, which ends the visits before the server
        )


async def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not await _answers(port):
        if server.poll() is not None:
            raise _ended(server, log)
        if time.monotonic() > deadline:
            raise GlimpseError(f"the server does not answer after {START_WITHIN_S:.0f} s; see {log}")
        await asyncio.sleep(0.1)


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("localhost", port)
        with contextlib.closing(writer):
            writer.write(f"GET /check HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in await asyncio.wait_for(reader.readline(), 5)
    except (OSError, TimeoutError):
        return False


def _ended(server: subprocess.Popen[bytes], log: Path) -> GlimpseError:
    last_words = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    return GlimpseError(
        f"the server ended with exit code {server.returncode}. Its last words, from {log}:\n{last_words}"
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _has_graphical_browser() -> bool:
    """Whether opening a page would not take over the terminal, as text browsers do."""
    try:
        return type(webbrowser.get()) is not webbrowser.GenericBrowser
    except webbrowser.Error:
        return False
