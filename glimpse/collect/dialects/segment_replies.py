"""What the browser clients of Segment and RudderStack ask for before they send: who they are, and where to send."""

from __future__ import annotations

import base64
from http import HTTPStatus
from urllib.parse import parse_qsl

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.own_address import own_address
from glimpse.collect.request import Request
from glimpse.settings import Settings


def write_key(request: Request) -> str | None:
    """Return Basic auth's user; no colon need follow it."""
    method, _, credentials = (request.headers.get("Authorization") or "").partition(" ")
    if method.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials).decode().partition(":")[0] or None
    except ValueError:
        return None


def segment_settings(request: Request, settings: Settings) -> Answer:
    """Answer what analytics-next asks before it sends: one destination, which is here."""
    scheme, host = own_address(request, settings)
    destination = {
        "apiKey": request.names["key"],
        "apiHost": f"{host}/v1",
        "protocol": scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": False,
        "maybeBundledConfigIds": {},
        "versionSettings": {"componentTypes": ["browser"]},
    }
    every_event = {"__default": {"enabled": True, "integrations": {}}}
    return Answer(
        HTTPStatus.OK,
        encode(
            {
                "integrations": {"Segment.io": destination},
                "plan": {"track": every_event, "identify": every_event, "group": every_event},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "middlewareSettings": {},
                "enabledMiddleware": {},
                "metrics": {"sampleRate": 0},  # the client's own figures, which nobody here reads
                "legacyVideoPluginsEnabled": False,
                "remotePlugins": [],
            }
        ),
    )


def take_own_figures(_request: Request, _settings: Settings) -> Answer:
    """Take what analytics-next counts of itself: nothing about visitors, and not kept."""
    return Answer(HTTPStatus.OK, b'{"success":true}')


def rudder_settings(request: Request, _settings: Settings) -> Answer:
    """Answer what RudderStack's browser client asks first: a source that is on and has no destinations."""
    key = write_key(request) or dict(parse_qsl(request.query)).get("writeKey", "")
    source = {
        "id": key,
        "name": key,
        "writeKey": key,
        "enabled": True,
        "workspaceId": "glimpse",
        "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
        "connections": [],
        "destinations": [],
        "dataplanes": {},
    }
    return Answer(HTTPStatus.OK, encode({"source": source, "updatedAt": "2026-01-01T00:00:00.000Z"}))
