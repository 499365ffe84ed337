"""The straight way through the edge, for what nearly all requests are: one plain event, from a browser, right or wrong.

It does in one go what `core.py` does step by step, and leaves to it whatever is not so plain. Both put the same into
the buffer: a test holds them to that.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from glimpse.buffer import DAY_MS, EventBuffer, Receipt, shard_of
from glimpse.collect.admission import Sender
from glimpse.collect.answers import TAKEN, Answer, unavailable, verdict
from glimpse.collect.books import Owed, count_refused, count_tokens
from glimpse.collect.crawlers import MOST_JUDGED_CHARS, judge_user_agent
from glimpse.collect.limits import Limits, Refusals, TooMany
from glimpse.collect.metrics import Metrics
from glimpse.collect.visitor import visitor_hash
from glimpse.events import AdmittedEvent
from glimpse.projects import Projects
from glimpse.wire import Reading, WireEvent

log = logging.getLogger("glimpse.collect")

UNAVAILABLE = unavailable("events can't be taken at the moment; try again")
_MOST_VISITORS = 64  # behind one address with one browser, a project each


class KnownSender:
    """Who sends, as headers tell it, with what was worked out of that before."""

    __slots__ = ("_plain", "hashes", "is_plain", "peer", "sender")

    def __init__(self, peer: str, sender: Sender) -> None:
        self.peer = peer
        self.sender = sender
        is_marked = sender.is_prefetch or sender.asks_for_privacy
        self.is_plain = not is_marked and judge_user_agent(sender.user_agent) is None
        self.hashes: dict[tuple[str, str, bytes], str] = {}  # of visitors, by project, user agent and salt
        # Of those whose events say that they are no bots, with the user agent that counts, by the one that they say.
        self._plain: dict[tuple[str, str | None, bytes], tuple[str, str]] = {}

    def visitor(self, salt: bytes, project: str, user_agent: str) -> str:
        """Return the visitor's hash."""
        key = (project, user_agent, salt)
        found = self.hashes.get(key)
        if found is None:
            found = visitor_hash(salt, project, self.sender.client.text, user_agent)
            if len(self.hashes) < _MOST_VISITORS:
                self.hashes[key] = found
        return found

    def plain_visitor(self, salt: bytes, project: str, claimed_agent: str | None) -> tuple[str, str] | None:
        """Return the visitor's hash and user agent; None for a bot by what the event says."""
        key = (project, claimed_agent, salt)
        found = self._plain.get(key)
        if found is None:
            if claimed_agent and judge_user_agent(claimed_agent) is not None:
                return None
            user_agent = claimed_agent[:MOST_JUDGED_CHARS] if claimed_agent else self.sender.user_agent
            found = self.visitor(salt, project, user_agent), user_agent
            if len(self._plain) < _MOST_VISITORS and len(claimed_agent or "") <= MOST_JUDGED_CHARS:
                self._plain[key] = found
        return found


class StraightWay:
    """Takes plain events."""

    def __init__(
        self,
        buffer: EventBuffer,
        projects: Projects,
        limits: Limits | None,
        refusals: Refusals,
        metrics: Metrics,
        owed: Owed,
    ) -> None:
        self._buffer = buffer
        self._shards = buffer.shards.count
        self._projects = projects
        self._limits = limits
        self._refusals = refusals
        self._metrics = metrics
        self._owed = owed
        self._salt = b""
        self._salt_since = self._salt_until = 0  # when it is the only one that counts, epoch ms

    def take(
        self, event: WireEvent, known: KnownSender, received_at: int, began: float, done: Callable[[Answer], None]
    ) -> bool:
        """Take an event that `is_usual`; return False, with nothing done, when it has to go the whole way."""
        project, context, sender = event.projectId or "", event.context or {}, known.sender
        rules = self._projects.of(project)
        if not self._salt_since <= received_at < self._salt_until:
            self._look_for_salt(received_at)
        salt = self._salt
        if (
            rules is None
            or rules.origins
            or rules.blocked_networks
            or rules.blocked_pages
            or not salt
            or not known.is_plain
            or event.userId is not None
            or event.anonymousId is not None
            or event.traits is not None
        ):
            return False
        seen = known.plain_visitor(salt, project, context.get("userAgent"))
        if seen is None:
            return False
        counts = {project: 1}
        limit = self._limits.try_take(counts, sender.client.network) if self._limits is not None else None
        if isinstance(limit, TooMany):
            done(self._refusals.refuse(counts, limit, began))
            return True
        if limit is not None:
            return False
        visitor, user_agent = seen
        shard = 0
        if self._shards > 1:
            shard = shard_of(self._shards, project, event.sessionId or f"{sender.client.text}\0{user_agent}")
        admitted = AdmittedEvent(
            project=project,
            id=event.id or str(uuid.uuid4()),
            name=event.event or "",
            time=int(event.timestamp or 0),
            received_at=received_at,
            client_session=event.sessionId or None,
            visitor=visitor,
            visitor_before=None,
            network=sender.client.network,
            is_private_peer=sender.client.is_private,
            user_agent=user_agent,
            properties=event.properties or {},
            context=context,
            shard=shard,
        )
        metrics = self._metrics

        def written(problem: str | None) -> None:
            metrics.request_seconds.observe(time.perf_counter() - began)
            if problem is None:
                metrics.accepted += 1
                done(TAKEN)
            else:
                log.debug("a request could not be written: %s", problem)
                metrics.unavailable += 1
                done(UNAVAILABLE)

        self._buffer.append_soon(Receipt([admitted]), written)
        return True

    def _look_for_salt(self, now_ms: int) -> None:
        """Take the day's salt for the rest of the day, or none while it is not known or yesterday's counts as well."""
        salts = self._buffer.salts_now(now_ms)
        self._salt, self._salt_since, self._salt_until = b"", 0, 0
        if salts is not None and salts[1] is None:
            self._salt, self._salt_since = salts[0], now_ms
            self._salt_until = (now_ms // DAY_MS + 1) * DAY_MS

    def refuse(self, reading: Reading, known: KnownSender, began: float, done: Callable[[Answer], None]) -> bool:
        """Refuse a body that is no event to keep; return False, with nothing done, when it has to go the whole way."""
        counts = count_tokens(reading, self._projects)
        limit = self._limits.try_take(counts, known.sender.client.network) if self._limits is not None else None
        if limit is not None:
            return False
        rejected, answer, metrics = count_refused(reading, self._projects), verdict(reading, ()), self._metrics

        def written(problem: str | None) -> None:
            if problem is not None:
                self._owed.add(rejected)
            for (_, reason), count in rejected.items():
                metrics.rejected[reason] += count
            metrics.request_seconds.observe(time.perf_counter() - began)
            done(answer)

        self._buffer.append_soon(Receipt([], rejected), written)
        return True
