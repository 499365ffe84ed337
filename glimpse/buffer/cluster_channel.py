"""How a turn's commands reach a Redis Cluster: written directly to the node that has their keys.

Rule of this module: nothing is sent twice by itself. After a failure the cluster is asked where its slots are now, and
whoever was refused comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.cluster import RedisCluster

from glimpse.buffer.connection import UNAVAILABLE, login_of
from glimpse.buffer.direct import DirectChannel
from glimpse.buffer.records import Command

Place = tuple[str, int]  # host and port
Settled = Callable[[Sequence[Any], str | None], None]


class ClusterChannel:
    """Sends one transaction at a time, whose keys share a slot, as all of a shard's and all of a project's do."""

    def __init__(self, redis: RedisCluster, url: str) -> None:
        self._redis = redis
        self._login = login_of(url)
        self._has_tls = urlsplit(url).scheme.startswith("rediss")
        self._nodes: dict[Place, DirectChannel] = {}
        self._asking: asyncio.Task[None] | None = None
        self._slots: dict[tuple[int, int], Place] = {}  # first and last, and who has them

    def send(self, commands: Sequence[Command], settled: Settled) -> None:
        """Execute the commands as one MULTI and call `settled` once, later."""
        if self._slots:
            self._send(commands, settled)
        else:
            self._asking = asyncio.create_task(self._ask_and_send(commands, settled))

    def abandon(self) -> None:
        """Give up what is under way, and what is known of the nodes: one that does not answer may be one no more."""
        if self._asking:
            self._asking.cancel()
        for node in self._nodes.values():
            node.abandon()
        self._nodes, self._slots = {}, {}

    async def _ask_and_send(self, commands: Sequence[Command], settled: Settled) -> None:
        try:
            self._slots = await self._ask()
        except UNAVAILABLE as problem:
            settled((), str(problem) or type(problem).__name__)
            return
        self._send(commands, settled)

    async def _ask(self) -> dict[tuple[int, int], Place]:
        """Return who has which slots, as the first node says that answers."""
        await self._redis.initialize()
        nodes = self._redis.get_nodes()
        random.shuffle(nodes)
        for node in nodes:
            with contextlib.suppress(*UNAVAILABLE):
                told: Any = await self._redis.execute_command("CLUSTER SLOTS", target_nodes=node)
                return {span: (str(of["primary"][0]), int(of["primary"][1])) for span, of in told.items()}
        raise ConnectionError("no node of the cluster answers")

    def _send(self, commands: Sequence[Command], settled: Settled) -> None:
        def told(replies: Sequence[Any], problem: str | None) -> None:
            if problem:
                self._slots = {}
            settled(replies, problem)

        slot = self._redis.keyslot(str(commands[0][1]))
        place = next((place for (first, last), place in self._slots.items() if first <= slot <= last), None)
        if place is None:
            asyncio.get_running_loop().call_soon(told, (), "no node of the cluster has these keys now")
            return
        if place not in self._nodes:
            self._nodes[place] = DirectChannel(place, login=self._login, has_tls=self._has_tls)
        self._nodes[place].send(commands, told)
