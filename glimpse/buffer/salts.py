"""The daily salts of visitors' hashes: Redis alone holds them, for two days at most."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from redis.asyncio import Redis

from glimpse.buffer.appender import ANSWER_WITHIN_S
from glimpse.buffer.connection import UNAVAILABLE
from glimpse.errors import BufferUnavailable
from glimpse.patience import answer_within

DAY_MS = 86_400_000
OLD_SALT_TRIED_MS = 300_000

SaltPair = tuple[bytes, bytes | None]  # the day's, and yesterday's where it is still tried


class Salts:
    """Gives the salts of a moment; in memory are the last two days'."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._by_day: dict[int, bytes] = {}
        self._asking = asyncio.Lock()

    def now(self, now_ms: int) -> SaltPair | None:
        """Return today's salt (UTC) and, for the first 300 s of a day, yesterday's; None if not in memory yet."""
        day, into_day = divmod(now_ms, DAY_MS)
        today = self._by_day.get(day)
        if today is None:
            return None
        if into_day >= OLD_SALT_TRIED_MS:
            return today, None
        before = self._by_day.get(day - 1)
        return None if before is None else (today, before)

    async def of(self, now_ms: int) -> SaltPair:
        """Return the same, asked of Redis if need be; those who ask at once share one question.

        Raises
        ------
        BufferUnavailable
            When Redis does not answer.
        """
        async with self._asking:
            if known := self.now(now_ms):
                return known
            today = now_ms // DAY_MS
            before = await self._salt(today - 1) if now_ms % DAY_MS < OLD_SALT_TRIED_MS else None
            return await self._salt(today), before

    async def _salt(self, day: int) -> bytes:
        if day not in self._by_day:
            key = f"glimpse:salt:{day}"
            try:
                async with answer_within(ANSWER_WITHIN_S):
                    await self._redis.set(key, secrets.token_bytes(32), nx=True, ex=2 * DAY_MS // 1000)
                    salt = await self._redis.get(key)
            except UNAVAILABLE as problem:
                raise BufferUnavailable(f"Redis can't give the day's salt: {problem}") from problem
            self._by_day = {d: s for d, s in self._by_day.items() if d >= day - 1} | {day: bytes(salt)}
        return self._by_day[day]
