"""What PostHog's clients ask for beside events: configuration, flags, surveys, scripts. There is nothing of it here.

Each is told so in its own words, so that the client goes on and logs no error.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from glimpse.collect.answers import Answer, encode
from glimpse.collect.dialects.dialect import Endpoint
from glimpse.collect.request import Request
from glimpse.settings import Settings

_SCRIPT = "application/javascript; charset=utf-8"
# What the client may switch on: page views, leaves and clicks come to the event endpoint, the rest has none.
_CONFIG: Mapping[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "autocapture_opt_out": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "errorTracking": {"autocaptureExceptions": False, "suppressionRules": []},
    "logs": {"captureConsoleLogs": False},
    "sessionRecording": False,
    "heatmaps": False,
    "surveys": False,
    "productTours": False,
    "conversations": False,
    "elementsChainAsString": False,
    "defaultIdentifiedOnly": True,
    "hasFeatureFlags": False,
    "isAuthenticated": False,
    "toolbarParams": {},
    "siteApps": [],
    "config": {"enable_collect_everything": True},
}
# Parts of posthog-js that it loads when a page asks for them.
_PARTS = (
    *("recorder", "recorder-v2", "lazy-recorder", "posthog-recorder", "surveys", "surveys-preview", "toolbar", "logs"),
    *("web-vitals", "web-vitals-with-attribution", "web-vitals-soft-navs", "web-vitals-with-attribution-soft-navs"),
    *("exception-autocapture", "dead-clicks-autocapture", "tracing-headers", "product-tours", "conversations"),
)
_NOTHING = {
    "/api/surveys": {"surveys": []},
    "/api/early_access_features": {"earlyAccessFeatures": []},
    "/api/web_experiments": {"experiments": []},
    "/api/product_tours": {"product_tours": []},
}


def _config(_request: Request, _settings: Settings) -> Answer:
    return Answer(HTTPStatus.OK, encode(_CONFIG))


def _config_script(request: Request, _settings: Settings) -> Answer:
    """Leave the configuration where posthog-js looks for it."""
    key = encode(request.names["key"]).decode().replace("<", "\\u003c")
    config = encode(_CONFIG).decode()
    script = (
        "(function(){var all=window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"all[{key}]={{config:{config},siteApps:[]}}}})();"
    )
    return Answer(HTTPStatus.OK, script.encode(), {}, _SCRIPT)


def _flags(request: Request, _settings: Settings) -> Answer:
    """Say that there are no flags, in the form that the client's version asks for: the first has a list of names."""
    is_listed = dict(parse_qsl(request.query)).get("v", "1") == "1"
    none = {
        "flags": {},
        "featureFlags": [] if is_listed else {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
        "requestId": str(uuid.uuid4()),
    }
    return Answer(HTTPStatus.OK, encode({**_CONFIG, **none}))


def _nothing(body: Mapping[str, Any]) -> Callable[[Request, Settings], Answer]:
    def reply(_request: Request, _settings: Settings) -> Answer:
        return Answer(HTTPStatus.OK, encode(body))

    return reply


def _part(request: Request, _settings: Settings) -> Answer:
    """Answer an empty script for a part of posthog-js that its page can do without; not for the client itself."""
    if request.names["part"] in _PARTS:
        return Answer(
            HTTPStatus.OK, b"/* There is nothing of this here. */", {"Cache-Control": "max-age=3600"}, _SCRIPT
        )
    return Answer(HTTPStatus.NOT_FOUND, b"/* Load this from your own site; events can come here. */", {}, _SCRIPT)


REPLIES = (
    Endpoint("/array/{key}/config.js", ("GET",), reply=_config_script),
    Endpoint("/array/{key}/config", ("GET",), reply=_config),
    Endpoint("/flags", ("POST",), reply=_flags),
    Endpoint("/decide", ("POST",), reply=_flags),
    *(Endpoint(path, ("GET",), reply=_nothing(body)) for path, body in _NOTHING.items()),
    Endpoint("/static/{part}.js", ("GET",), reply=_part),
    # The dots leave /static/js and the like to Bokeh, which has its own scripts there.
    Endpoint("/static/{major}.{minor}.{patch}/{part}.js", ("GET",), reply=_part),
)
