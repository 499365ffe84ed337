"""Whether a request's events may come in now: all of them, or none."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping

from redis.asyncio import Redis

from glimpse.collect.limits.bucket import LOT_S, Bucket, Buckets
from glimpse.collect.limits.leases import TRY_AGAIN_S, Leases
from glimpse.collect.limits.shared import Lender, lender_at
from glimpse.collect.limits.taking import Taken, TooMany, Verdict, Waiting, let_through, short_of, spend, too_many
from glimpse.collect.metrics import Metrics
from glimpse.projects import Projects
from glimpse.settings import Settings


class Limits:
    """Takes tokens for requests.

    Parameters
    ----------
    lender
        Where tokens are leased.
    project_rate
        The limit of a project, events a second; 0 is none. Asked a few times a second at most for a busy project.
    network_rate
        That of each client network.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        lender: Lender,
        project_rate: Callable[[str], float],
        network_rate: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.leases = Leases(lender, clock)
        self._projects = Buckets("project", project_rate)
        self._networks = Buckets("network", lambda _: network_rate)
        self._limits_networks = network_rate > 0
        # For clients without an address, and for all when there is no such limit. Its tokens never end.
        self._unlimited = Bucket("network", "", lambda _: 0.0)
        self._unlimited.tokens = sys.maxsize

    @classmethod
    def at(cls, url: str, redis: Redis, settings: Settings, projects: Projects) -> Limits:
        """Keep buckets at an address, and with its client, which whoever gives it closes.

        A project's own limit goes before the setting's.
        """
        for_any, for_network = settings.rate_limit

        def for_project(project: str) -> float:
            found = projects.of(project)
            return for_any if found is None or found.rate_limit is None else found.rate_limit

        return cls(lender_at(url, redis), for_project, for_network)

    def show_in(self, metrics: Metrics) -> None:
        """Add the counts of tokens to the edge's own."""
        metrics.counter_from("glimpse_rate_limit_leases", "Leases of tokens from Redis", lambda: self.leases.taken)
        metrics.counter_from(
            "glimpse_rate_limit_unmetered",
            "Events let in without a token, because Redis gave none",
            lambda: self.leases.let_through,
        )

    async def close(self) -> None:
        """Let in those who wait."""
        await self.leases.close()

    def try_take(self, counts: Mapping[str, int], network: str | None) -> Verdict:
        """Take a token for each event, or none at all.

        Parameters
        ----------
        counts
            Events by project; what has no project ("") counts for the network only.
        network
            The client's; None is not limited.
        """
        if len(counts) == 1:  # nearly always: this way is written out, as all requests pay for it
            ((project, count),) = counts.items()
            of_project = self._projects.young.get(project)
            of_network = self._networks.young.get(network) if network and self._limits_networks else self._unlimited
            if (
                of_project is not None
                and of_network is not None
                and of_project.tokens - count >= of_project.low
                and of_network.tokens - count >= of_network.low
            ):
                of_project.tokens -= count
                of_network.tokens -= count
                return None
            now = self._clock()
            for bucket in (of_project, of_network):  # a flood's refusals must be cheap, too
                if bucket is not None and bucket.tokens <= 0 and now < bucket.shut_until:
                    return TooMany(bucket.wait_s(count, now), bucket.kind, bucket.rate)
        return self._take_slowly(self._buckets_for(counts, network))

    async def take(self, counts: Mapping[str, int], network: str | None) -> TooMany | None:
        """Do the same, awaited."""
        verdict = self.try_take(counts, network)
        if not isinstance(verdict, Waiting):
            return verdict
        settled: asyncio.Future[TooMany | None] = asyncio.get_running_loop().create_future()
        self.lease(verdict, lambda late: None if settled.done() else settled.set_result(late))
        return await settled

    def lease(self, waiting: Waiting, done: Callable[[TooMany | None], None]) -> None:
        """Ask Redis, together with all who wait in this turn of the loop, and call `done` once, later."""
        waiting.done = done
        self.leases.wait(waiting)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _buckets_for(self, counts: Mapping[str, int], network: str | None) -> Taken:
        taken = [(self._projects.of(project), count) for project, count in counts.items() if project]
        if network and self._limits_networks:
            taken.append((self._networks.of(network), sum(counts.values())))
        return taken

    def _take_slowly(self, taken: Taken) -> Verdict:
        """Take tokens where some run short: refill what may be, ask ahead of need, refuse what can't be had."""
        now = self._clock()
        for bucket, count in taken:
            if bucket.tokens - count < bucket.low:
                bucket.refresh(now)
        short = short_of(taken)
        is_away = self.leases.problem is not None
        if not short:
            verdict = spend(taken)
        elif any(bucket.is_empty(count, now, TRY_AGAIN_S if is_away else LOT_S) for bucket, count in short):
            verdict = too_many(short, now)
        elif is_away:
            verdict = None
            self.leases.let_through += let_through(taken)
        else:
            return Waiting(taken)
        for bucket, _ in short or taken:
            if short or bucket.tokens < bucket.low:
                self.leases.ahead(bucket, now)
        return verdict
