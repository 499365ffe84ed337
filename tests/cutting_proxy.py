"""A TCP proxy before a Redis that lets a command through and keeps its reply to itself."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class CuttingProxy:
    """Passes on everything, until `cut` names what is to be carried out and never answered."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream = ("127.0.0.1", upstream_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._command = b""
        self._closes = True
        self._open: set[socket.socket] = set()
        self.replies_cut = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for side in list(self._open):
            side.close()

    def cut(self, command: bytes, *, closes: bool) -> None:
        """Keep the replies to a command from now on, and close the connection then or let it hang."""
        self._command, self._closes = command, closes

    def heal(self) -> None:
        """Pass on everything again."""
        self._command = b""

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
                self._open |= {client, server}
                is_cut = threading.Event()
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(client, server, is_cut), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._command and self._command in data:
                    is_cut.set()
                server.sendall(data)
        self._close(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if not is_cut.is_set():
                    client.sendall(data)
                    continue
                self.replies_cut += 1  # it was carried out: here is the proof
                if self._closes:
                    break
        self._close(client, server)

    def _close(self, *sides: socket.socket) -> None:
        for side in sides:
            self._open.discard(side)
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
