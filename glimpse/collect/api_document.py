"""What is below `/api/v1/`, as an OpenAPI 3.1 document and as a page to read; both made of the tables that answer.

Rule of this module: nothing is said here that is not in a table: questions, formats, limits, the schema of events.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from importlib.metadata import version
from typing import Any

import msgspec

from glimpse.collect.parts import PROBLEM, ProblemHandler
from glimpse.collect.question_routes import ASKED_BY_NAME
from glimpse.collect.schema import schema_of
from glimpse.collect.spans import ALL, DEFAULT_LIMIT, DEFAULT_SINCE, MOST_ROWS
from glimpse.events import LAYER_OF_BOTS
from glimpse.settings import Settings
from glimpse.store.questions import QUESTIONS
from glimpse.transfer import FORMATS
from glimpse.wire.claim import PROJECT

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}


def _parameter(name: str, what: str, schema: Json, *, place: str = "query", is_required: bool = False) -> Json:
    found: Json = {"name": name, "in": place, "description": what, "required": is_required}
    if schema.get("type") in ("array", "object"):
        return found | {"content": {"application/json": {"schema": schema}}}
    return found | {"schema": schema}


_ID = f"{PROJECT.pattern}({re.escape(LAYER_OF_BOTS)})?"
_PROJECT = _parameter(
    "project",
    "one project, or * for all, as where none is named",
    {"type": "string", "pattern": rf"^(\*|{_ID})?$", "default": "*"},
)
_ONE_PROJECT = _parameter(
    "project", "the session's project", {"type": "string", "pattern": f"^{_ID}$"}, is_required=True
)
_AGES = "ISO 8601, epoch milliseconds, or an age such as 90m, 24h, 7d"
_SPAN = [
    _parameter("since", f"from when on: {_AGES}", _TEXT | {"default": DEFAULT_SINCE}),
    _parameter("until", "before when, likewise; now by default", _TEXT),
]
_WHERE = _parameter("where", "a filter, as text or as JSON", _TEXT)
_SEGMENT = _parameter("segment", "the name of a saved filter", _TEXT)
_LAST_ID = _parameter("last_id", "the id of the last event that was had: begin behind it", _TEXT)
_STREAM = """Events and numbers as they come, as server-sent events; over a WebSocket to who asks for one.

Each message is of a kind: numbers (the answer of live), event, gap, end (why no more is told)."""
_FORMAT = _parameter("format", "the format of the rows", {"type": "string", "enum": [*FORMATS], "default": "json"})
_PAGE = [
    _parameter(
        "limit",
        f"rows of a page, or {ALL}",
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, {"const": ALL}], "default": DEFAULT_LIMIT},
    ),
    _parameter("after", "where the page before ended, as its Link header gives it", _TEXT),
    _FORMAT,
]
_ARRAY: Json = {"type": "array", "items": {"type": "object"}}
_PROBLEMS = {
    "400": "a mistake in the question",
    "403": "only those who may look",
    "404": "it is not there",
    "503": "nobody has the store at the moment",
}
_SCHEMAS = "#/components/schemas/"
_USUAL = Settings()
_SENDING = """Send one event, or many: an array of them, or an envelope with `events`.

`/event` is the same; the schema alone is at `/api/v1/schema`. A page of any site may send, without credentials."""
_RECEIPTS = {
    "200": "all is taken, or what of a batch is: the others are told by their index",
    "400": "nothing of it can be taken: each mistake with its path",
    "413": "it is too large",
    "429": "too many events; Retry-After says when to come again",
    "503": "the buffer can't take it now; Retry-After says when to come again",
}


def _operation(name: str, what: str, parameters: list[Json], content: Json) -> Json:
    summary, _, more = what.partition("\n")
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses: Json = {"200": {"description": "the answer", "content": content}}
    responses |= {status: {"description": why, "content": problem} for status, why in _PROBLEMS.items()}
    said: Json = {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}
    return {"get": said | ({"description": more.strip()} if more.strip() else {})}


def _question(name: str) -> Json:
    question = QUESTIONS[name]
    schema: Json = msgspec.json.schema(question.arguments)["$defs"][name]
    needed = schema.get("required", [])
    text, sections = question.told
    said = {argument: told.text for told in sections.get("Parameters", []) for argument in told.names}
    own = [_parameter(one, said[one], kind, is_required=one in needed) for one, kind in schema["properties"].items()]
    columns = {column: told.text for told in sections["Returns"] for column in told.names}
    row: Json = {"type": "object", "properties": {column: {"description": what} for column, what in columns.items()}}
    text += "" if columns else f"\n\n{sections['Returns'][0].text}"
    content = {"application/json": {"schema": {"type": "array", "items": row if columns else {"type": "object"}}}}
    return _operation(name, text, [_PROJECT, *_SPAN, _WHERE, _SEGMENT, *own], content)


def _sending() -> Json:
    """Return the operation that takes events, whose answers are the edge's and no problem documents."""
    said = {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}
    responses: Json = {status: {"description": why, "content": said} for status, why in _RECEIPTS.items()}
    body: Json = {"required": True, "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Events"}}}}
    summary, _, more = _SENDING.partition("\n")
    return {
        "operationId": "send",
        "summary": summary,
        "description": more.strip(),
        "parameters": [],
        "requestBody": body,
        "responses": responses,
    }


def _schemas(settings: Settings) -> Json:
    """Return the schema of events in parts that refer to each other as an OpenAPI document has them."""
    found = schema_of(settings)
    whole = {name: node for name, node in found.items() if not name.startswith("$")}
    return _referring({**found["$defs"], "Events": whole})


def _referring(node: Any) -> Any:
    if isinstance(node, dict):
        items: Json = node
        refers = isinstance(ref := items.get("$ref"), str)
        return {"$ref": _SCHEMAS + ref.rpartition("/")[2]} if refers else {k: _referring(v) for k, v in items.items()}
    return [_referring(one) for one in node] if isinstance(node, list) else node


@lru_cache(4)
def document(settings: Settings = _USUAL) -> Json:
    """Return the OpenAPI document; paths are below the place that the server is mounted at.

    Parameters
    ----------
    settings
        Whose limits hold for what is sent.
    """
    in_formats: Json = {form.media_type.partition(";")[0]: {} for form in FORMATS.values()}
    in_formats["application/json"] = {"schema": _ARRAY}
    as_object: Json = {"application/json": {"schema": {"type": "object"}}}
    as_array: Json = {"application/json": {"schema": _ARRAY}}
    as_stream: Json = {"text/event-stream": {"schema": _TEXT}}
    session = _parameter("id", "the session's id", {"type": "string", "format": "uuid"}, place="path", is_required=True)
    rows = [_PROJECT, *_SPAN, _WHERE, _SEGMENT, *_PAGE]
    paths: Json = {
        "/api/v1/live": _operation("live", "The live numbers, now.", [_PROJECT, _WHERE, _SEGMENT], as_object),
        "/api/v1/stream": _operation("stream", _STREAM, [_PROJECT, _WHERE, _SEGMENT, _LAST_ID], as_stream),
        "/api/v1/segments": _operation("segments", "Saved filters that have a name.", [_PROJECT], as_array),
        "/api/v1/ledger": _operation("ledger", "What became of every event received.", [_PROJECT], as_object),
        "/api/v1/events": _operation("events", "Stored events, newest first.", rows, in_formats),
        "/api/v1/sessions": _operation("sessions", "Sessions that started in a span, newest first.", rows, in_formats),
        "/api/v1/sessions/{id}": _operation(
            "journey", "One session's events, in order.", [session, _ONE_PROJECT, _FORMAT], in_formats
        ),
    }
    problem: Json = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
    }
    receipt: Json = {"type": "object", "required": ["success"], "properties": {"success": {"type": "boolean"}}}
    paths["/api/v1/events"] |= {"post": _sending()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Glimpse", "version": version("glimpse")},
        "paths": paths | {f"/api/v1/{name}": _question(name) for name in ASKED_BY_NAME},
        "components": {"schemas": {"Problem": problem, "Receipt": receipt, **_schemas(settings)}},
    }


class DocumentHandler(ProblemHandler):
    """`GET /api/v1/openapi.json`."""

    def get(self) -> None:
        """Answer with the document, for where this server is mounted."""
        self.answer(document(self.parts.settings) | {"servers": [{"url": self.parts.root or "/"}]})


class DocumentPageHandler(ProblemHandler):
    """`GET /api/docs`: the same to read, without a script."""

    def get(self) -> None:
        """Answer with the page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        paths = document()["paths"]
        each = [(path, method, said) for path, operations in paths.items() for method, said in operations.items()]
        links = " ".join(f'<a href="#{said["operationId"]}">{said["operationId"]}</a>' for *_, said in each)
        parts = [_chapter(*one) for one in each]
        self.finish(_PAGE_HTML.format(links=links, chapters="".join(parts), root=escape(self.parts.root)))


def _chapter(path: str, method: str, said: Json) -> str:
    rows = "".join(_row(one) for one in said["parameters"])
    texts = [said["summary"], *said.get("description", "").split("\n\n")]
    prose = "".join(f"<p>{_marked(text)}</p>" for text in texts if text)
    return (
        f'<section id="{said["operationId"]}"><h2><b>{method.upper()}</b> {escape(path)}</h2>{prose}'
        f"<div>{_table(rows)}{_columns(said)}</div></section>"
    )


def _table(rows: str) -> str:
    return f"<table><tr><th>parameter<th>what<th>value</tr>{rows}</table>" if rows else ""


def _columns(said: Json) -> str:
    schema: Json = said["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
    told: Json = schema.get("items", {}).get("properties", {})
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{_marked(one['description'])}" for name, one in told.items()
    )
    return f"<table><tr><th>column<th>what</tr>{rows}</table>" if rows else ""


def _row(parameter: Json) -> str:
    schema = parameter.get("schema") or parameter["content"]["application/json"]["schema"]
    kind = f"{_kind(schema)}, as JSON" if "content" in parameter else _kind(schema)
    default = f", default {schema['default']}" if schema.get("default") is not None else ""
    needed = ", required" if parameter["required"] else ""
    what = parameter["description"]
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code><td>{_marked(what)}<td>{escape(kind + default + needed)}</tr>"
    )


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _kind(schema: Json) -> str:
    if "anyOf" in schema:
        return " or ".join(filter(None, map(_kind, schema["anyOf"])))
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind, least, most = schema.get("type", ""), schema.get("minimum"), schema.get("maximum")
    return "" if kind == "null" else f"{kind} {least} to {most}" if None not in (least, most) else kind


_PAGE_HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Glimpse over HTTP</title><style>
:root{{color-scheme:dark}}body{{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:58rem;padding:2rem 1rem;
background:#0c1016;color:#d7dde6}}h1{{margin:0}}a{{color:#7cc4ff}}nav{{display:flex;flex-wrap:wrap;gap:.3rem 1rem;
margin:1rem 0 2rem}}section{{border-top:1px solid #2a3340;padding:.5rem 0 1rem}}h2{{font-size:1.1rem;
overflow-wrap:anywhere}}h2 b{{color:#5fd38d;margin-right:.4rem}}div{{overflow-x:auto}}table{{border-collapse:collapse;
width:100%;font-size:.9rem}}th,td{{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0}}
th{{color:#8d99a8;font-weight:500}}table+table{{margin-top:1rem}}
td:first-child{{width:min(9rem,25vw);overflow-wrap:anywhere}}</style>
<h1>Glimpse over HTTP</h1><p>Each address below, with its parameters; for machines:
<a href="{root}/api/v1/openapi.json">openapi.json</a>. Mistakes in reading are told as problem documents (RFC 9457).</p>
<nav>{links}</nav>{chapters}</html>"""
