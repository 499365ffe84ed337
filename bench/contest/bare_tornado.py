"""The measure of Panel's port: a Tornado handler that reads a body and only answers "ok"."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from tornado.web import Application, RequestHandler


class Ok(RequestHandler):
    """Answers, and does nothing else."""

    def post(self) -> None:
        """Answer."""
        self.finish("ok")


async def serve(port: int) -> None:
    Application([("/event", Ok)]).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
