"""The registry of projects: kept in Redis, read from memory.

`glimpse:projects` is the set of registered ids, `glimpse:project:{<id>}` a hash of what is set for one, each value as
JSON. `glimpse:projects:version` changes with every change, so that looking for one costs one small question.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from redis import exceptions as redis_errors
from redis.asyncio import Redis

from glimpse.errors import BufferUnavailable, ProjectError
from glimpse.projects.record import ProjectSettings, checked_id
from glimpse.settings import Settings

log = logging.getLogger("glimpse.projects")

DEMO = "demo"
INDEX = "glimpse:projects"
VERSION = "glimpse:projects:version"
REFRESH_WITHIN_S = 1.0
_UNAVAILABLE = (redis_errors.RedisError, OSError, TimeoutError)
_ANYBODYS = ProjectSettings()
_NEVER_SEEN = b"never seen"
_encode = msgspec.json.encode


def key_of(project: str) -> str:
    """Return the key of a project's settings."""
    return f"glimpse:project:{{{project}}}"


class Projects:
    """What is registered. Without a Redis nothing is, and any id is welcome.

    Parameters
    ----------
    redis
        A client of its own or shared; whoever gives it closes it.
    also
        Ids that are welcome without being registered.
    """

    def __init__(self, redis: Redis | None = None, also: Iterable[str] = ()) -> None:
        self._redis: Any = redis  # redis-py's types mix the answers of its blocking and its async client
        self._also = {project: ProjectSettings(id=project) for project in also}
        self._registered: dict[str, ProjectSettings] = {}
        self._version: bytes | None = _NEVER_SEEN

    @classmethod
    def on(cls, redis: Redis, settings: Settings) -> Projects:
        """Keep the registry in a Redis. Until the first `refresh` nobody is known to be registered."""
        return cls(redis, (DEMO,) if settings.takes_demo else ())

    # -- what edges ask, from memory ---------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether any id is welcome, because none is registered."""
        return not self._registered

    def of(self, project: str) -> ProjectSettings | None:
        """Return what is set for a project; None when it is unknown, and so not welcome."""
        found = self._registered.get(project)
        if found is None:
            return self._also.get(project) if self._registered else _ANYBODYS
        return found

    def registered(self) -> list[ProjectSettings]:
        """Return all that are registered, by id."""
        return [self._registered[project] for project in sorted(self._registered)]

    # -- Redis -------------------------------------------------------------------------------------------------------

    async def refresh(self) -> bool:
        """Take up what was changed; return whether anything was.

        Raises
        ------
        BufferUnavailable
            When Redis does not answer: what was known stays.
        """
        if self._redis is None:
            return False
        try:
            async with asyncio.timeout(REFRESH_WITHIN_S):
                version = await self._redis.get(VERSION)
                if version == self._version:
                    return False
                found = await self._read()
        except _UNAVAILABLE as problem:
            raise BufferUnavailable(f"the projects' settings can't be read: {problem}") from problem
        self._registered, self._version = found, version
        return True

    async def add(self, project: str, settings: Mapping[str, Any]) -> ProjectSettings:
        """Register a project with settings by field.

        Raises
        ------
        ProjectError
            When it is registered already, or its id is not allowed.
        BufferUnavailable
            When Redis does not answer.
        """
        if not await self._call("sadd", INDEX, checked_id(project)):
            raise ProjectError(f"{project!r} is registered already; `glimpse project set {project}` changes it")
        await self._write(project, settings)
        return self._registered[project]

    async def change(self, project: str, settings: Mapping[str, Any]) -> ProjectSettings:
        """Change some of a project's settings; the others stay.

        Raises
        ------
        ProjectError
            When it is not registered.
        BufferUnavailable
            When Redis does not answer.
        """
        if not await self._call("sismember", INDEX, project):
            raise self.unknown(project)
        await self._write(project, settings)
        return self._registered[project]

    async def remove(self, project: str) -> None:
        """Take a project off the list; its events stay.

        Raises
        ------
        ProjectError
            When it is not registered.
        BufferUnavailable
            When Redis does not answer.
        """
        if not await self._call("srem", INDEX, project):
            raise self.unknown(project)
        await self._call("delete", key_of(project))
        await self._note_change()

    def unknown(self, project: str) -> ProjectError:
        """Return what to say of a project that is not registered."""
        there = ", ".join(sorted(self._registered)) or "none"
        return ProjectError(f"{project!r} is not registered; registered are: {there}")

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _write(self, project: str, settings: Mapping[str, Any]) -> None:
        if settings:
            await self._call("hset", key_of(project), mapping={name: _encode(v) for name, v in settings.items()})
        await self._note_change()

    async def _note_change(self) -> None:
        await self._call("set", VERSION, secrets.token_hex(8))
        await self.refresh()

    async def _call(self, command: str, *words: str, **more: Any) -> Any:
        try:
            return await getattr(self._redis, command)(*words, **more)
        except _UNAVAILABLE as problem:
            raise BufferUnavailable(f"Redis can't keep projects: {problem}") from problem

    async def _read(self) -> dict[str, ProjectSettings]:
        projects = sorted(member.decode() for member in await self._redis.smembers(INDEX))
        pipe = self._redis.pipeline(transaction=False)
        for project in projects:
            pipe.hgetall(key_of(project))
        records = await pipe.execute() if projects else []
        return {project: self._decoded(project, record) for project, record in zip(projects, records, strict=True)}

    def _decoded(self, project: str, record: Mapping[bytes, bytes]) -> ProjectSettings:
        """Return a project's settings; of a record that nobody can read, what was known before."""
        try:
            fields = {name.decode(): msgspec.json.decode(value) for name, value in record.items()}
            return msgspec.convert(fields | {"id": project}, ProjectSettings)
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            log.warning("the settings of project %s can't be read: %s", project, problem)
            return self._registered.get(project) or ProjectSettings(id=project)
