"""Loads a page in the Chromium that is there, over its DevTools protocol, and writes down what the page does.

It says that it is headless, so Glimpse drops its events as a bot's: the look is not counted as a visit.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from glimpse.doctor.site_check_facts import Loaded, Request

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = ("--headless=new", "--no-first-run", "--disable-gpu", "--disable-sync", "--disable-background-networking")
_STARTS_WITHIN_S = 20
_LOADS_WITHIN_S = 30
_QUIET_S = 4  # after the page has loaded, for a tag that a tag manager adds, and for its first events
_ENDS_WITHIN_S = 5
# `data-project` is on the tag itself; a page that calls `init` has the script alone.
_FIND_TAGS = """JSON.stringify([...document.querySelectorAll('script')]
  .filter((tag) => tag.dataset.project !== undefined || /\\/glimpse(-[^/]*)?\\.m?js/.test(tag.src))
  .map((tag) => Object.fromEntries([...tag.attributes].map(({ name, value }) => [name, value]))))"""


def find_chromium() -> str | None:
    """Return where a Chromium is, or None."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


async def load(url: str, program: str) -> Loaded:
    """Load a page, and return what it did.

    Raises
    ------
    OSError
        When the browser does not start.
    """
    async with _running(program) as address:
        connection = await websocket_connect(address, max_message_size=50 * 1024 * 1024)
        try:
            return await _Page(connection, Loaded(url, f"in {Path(program).name}")).watch()
        finally:
            connection.close()


@asynccontextmanager
async def _running(program: str) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="glimpse-doctor-", ignore_cleanup_errors=True) as folder:
        own = (f"--user-data-dir={folder}", "--remote-debugging-port=0", "--no-sandbox")
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            program, *_FLAGS, *own, "about:blank", stdout=quiet, stderr=quiet
        )
        try:
            yield await _address(Path(folder) / "DevToolsActivePort", process)
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _ENDS_WITHIN_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _address(port_file: Path, process: asyncio.subprocess.Process) -> str:
    for _ in range(_STARTS_WITHIN_S * 20):
        if process.returncode is not None:
            break
        if address := _address_in(port_file):
            return address
        await asyncio.sleep(0.05)
    raise OSError("Chromium does not start")


def _address_in(port_file: Path) -> str | None:
    lines = port_file.read_text().split() if port_file.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None


class _Page:
    """One tab: what the protocol tells of it becomes facts."""

    def __init__(self, connection: WebSocketClientConnection, loaded: Loaded) -> None:
        self._connection = connection
        self._loaded = loaded
        self._session = ""
        self._last_id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._requests: dict[str, Request] = {}
        self._is_loaded = False

    async def watch(self) -> Loaded:
        """Open the page, and listen until it has been quiet for a while."""
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            await self._call(f"{domain}.enable")
        opened = await self._call("Page.navigate", url=self._loaded.url)
        self._loaded.failure = opened.get("errorText", "")
        if not self._loaded.failure:
            await self._listen(_LOADS_WITHIN_S, until_loaded=True)
            await self._listen(_QUIET_S)
            found = await self._call("Runtime.evaluate", expression=_FIND_TAGS)
            self._loaded.tags = json.loads(found["result"].get("value") or "[]")
            await self._read_answers()
        self._loaded.requests = list(self._requests.values())
        return self._loaded

    async def _read_answers(self) -> None:
        for request_id, request in self._requests.items():
            if request.sent is not None and request.status:
                body = await self._call("Network.getResponseBody", requestId=request_id)
                request.answer = body.get("body", "")

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._last_id += 1
        number = self._last_id
        session = {"sessionId": self._session} if self._session else {}
        await self._connection.write_message(json.dumps({"id": number, "method": method, "params": params} | session))
        while number not in self._answers:
            await self._take(_LOADS_WITHIN_S)
        return self._answers.pop(number)

    async def _listen(self, seconds: float, *, until_loaded: bool = False) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0 and not (until_loaded and self._is_loaded):
            try:
                await self._take(left)
            except TimeoutError:
                return

    async def _take(self, seconds: float) -> None:
        text = await asyncio.wait_for(self._connection.read_message(), seconds)
        if text is None:
            raise OSError("Chromium has ended")
        message = json.loads(text)
        if "id" in message:
            self._answers[message["id"]] = message.get("result", {})
        else:
            self._note(message["method"], message.get("params", {}))

    def _note(self, method: str, told: dict[str, Any]) -> None:
        request = self._requests.get(told.get("requestId", ""))
        if method == "Network.requestWillBeSent":
            asked = told["request"]
            self._requests[told["requestId"]] = Request(asked["url"], asked["method"], asked.get("postData", ""))
        elif method == "Network.responseReceived" and request:
            request.status = told["response"]["status"]
            if told["type"] == "Document" and not self._loaded.status:
                self._loaded.status = request.status
        elif method == "Network.loadingFailed" and request:
            request.failure = told.get("blockedReason") or told.get("corsErrorStatus", {}).get("corsError") or ""
            request.failure = request.failure or told["errorText"]
        elif method == "Page.loadEventFired":
            self._is_loaded = True
        elif method == "Runtime.consoleAPICalled":
            self._loaded.console.append(" ".join(str(part.get("value", "")) for part in told["args"]))
        elif method == "Log.entryAdded":
            self._loaded.console.append(told["entry"]["text"])
