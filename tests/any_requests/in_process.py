"""A request given to the edge as a server gives it, without one."""

from __future__ import annotations

from any_requests.generate import AnyRequest
from glimpse.collect.answers import Answer, failure
from glimpse.collect.core import Edge, Request
from glimpse.collect.endpoints import find
from glimpse.settings import Settings


async def answer(edge: Edge, settings: Settings, made: AnyRequest) -> Answer:
    """Return what the edge answers."""
    resource = find(made.path)
    if resource is None:
        return failure(404, "")
    request = Request(made.body, made.headers, "127.0.0.1", made.method, made.path, made.query, resource.names)
    endpoint = resource.endpoint(made.method)
    if endpoint is None:
        return failure(405, "")
    if endpoint.reply:
        return endpoint.reply(request, settings)
    assert endpoint.dialect
    return await edge.take(request, endpoint.dialect)
