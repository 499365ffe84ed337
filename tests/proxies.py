"""Debian's nginx and Caddy in front of a served Glimpse, set up with the lines that README and docs tell people."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Self

import pytest
from serving import CHECKOUT, CHROME, free_port
from waiting import wait_until

HOST = "stats.example.test"
_TAKES_ANY_CERTIFICATE = ssl._create_unverified_context()
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

# The visitor's address is what a test says it is: as if that were nginx' other end.
_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Visitor;
    {servers}
}}
"""
# With a certificate of its own making, as it gets a real one where the name is a real one.
_CADDY = """
{{
    admin off
    auto_https disable_redirects
    local_certs
    skip_install_trust
    storage file_system {folder}/storage
}}
{sites}
"""


def told(language: str, document: str = "README.md", number: int = 0) -> str:
    """Return a block of a document as it stands there."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number]


class Proxy:
    """A proxy in a process of its own; `lines` are a document's, with the ports of this run put in."""

    program: str
    scheme = "http"

    def __init__(self, folder: Path, lines: str, upstream: int) -> None:
        found = shutil.which(self.program, path=_PATH)
        if found is None:
            pytest.skip(f"{self.program} is not installed: apt-get install {self.program}")
        self.port = free_port()
        self.folder = folder
        folder.mkdir()
        lines = lines.replace("stats.example.com", HOST).replace("127.0.0.1:5006", f"127.0.0.1:{upstream}")
        self._config = folder / "config"
        self._config.write_text(self.whole(lines).replace("PORT", str(self.port)))
        self._command = [found, *self.arguments()]
        self._process: subprocess.Popen[bytes] | None = None

    def whole(self, lines: str) -> str:
        raise NotImplementedError

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        with (self.folder / "said").open("wb") as said:
            environment = {"PATH": _PATH, "HOME": str(self.folder)}
            self._process = subprocess.Popen(self._command, stdout=said, stderr=said, env=environment)
        wait_until(self._answers, what=f"{self.program} answers; {self.folder}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = self._connection()
        try:
            named = {"Host": f"{HOST}:{self.port}", "User-Agent": CHROME}
            named |= {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "said").read_text() + self._config.read_text()
        try:
            return self.ask("GET", "/")[0] > 0
        except OSError:
            return False


class Nginx(Proxy):
    program = "nginx"

    def whole(self, lines: str) -> str:
        servers = lines.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        return _NGINX.format(folder=self.folder, servers=servers)

    def arguments(self) -> list[str]:
        return ["-p", str(self.folder), "-c", str(self._config), "-e", str(self.folder / "error.log")]


class Caddy(Proxy):
    program = "caddy"
    scheme = "https"

    def whole(self, lines: str) -> str:
        sites = lines.replace(f"{HOST} {{", f"{HOST}:{self.port} {{\n    bind 127.0.0.1")
        return _CADDY.format(folder=self.folder, sites=sites)

    def _connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=_TAKES_ANY_CERTIFICATE)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sock = _TAKES_ANY_CERTIFICATE.wrap_socket(raw, server_hostname=HOST)
        return connection

    def arguments(self) -> list[str]:
        return ["run", "--config", str(self._config), "--adapter", "caddyfile"]
