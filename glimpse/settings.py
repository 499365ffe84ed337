"""One frozen `Settings`, made once from the environment; nothing else reads `os.environ`.

`SETTINGS` is the table: name, default, unit and help of each. The README's table is printed from it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from glimpse.errors import SettingsError


class Setting(NamedTuple):
    """One row of the table."""

    variable: str
    field: str
    default: Any
    parse: Callable[[str], Any]
    unit: str
    help: str


def _flag(text: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
        "": False,
    }
    if text.strip().lower() not in words:
        raise ValueError("use 1 or 0")
    return words[text.strip().lower()]


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"it must be a {'whole ' if kind is int else ''}number") from None
        if not value > 0:
            raise ValueError("it must be greater than 0")
        return value

    return parse


def _at_least(least: int) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = _positive(int)(text)
        if value < least:
            raise ValueError(f"it must be {least} or more")
        return value

    return parse


def _rates(text: str) -> tuple[float, float]:
    """Read `project,network`; one number is the project's, and leaves the other as it is."""
    for_project, comma, for_network = text.partition(",")
    rates = float(for_project), float(for_network) if comma else RATE_LIMIT[1]
    if not all(0 <= rate < math.inf for rate in rates):
        raise ValueError("a rate is 0 or more; 0 is no limit")
    return rates


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", text.strip()):
        raise ValueError("use a header's name, of letters, digits and -")
    return text.strip()


def _site(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#\"'<>&]+(/[^\s?#\"'<>&]*)?", text.strip()):
        raise ValueError("write it as https://stats.example.com, or with the path it is below")
    return text.strip().rstrip("/")


def position(text: str) -> tuple[float, float]:
    """Return latitude and longitude in degrees, of a text such as `52.37,4.90`.

    Raises
    ------
    ValueError
        When it is no position; says what is allowed.
    """
    try:
        lat, lon = map(float, text.split(","))
    except ValueError:
        lat = lon = float("nan")
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("write latitude and longitude in degrees, such as 52.37,4.90")
    return lat, lon


def _appendfsync(text: str) -> str:
    if text not in {"always", "everysec"}:
        raise ValueError("use always or everysec")
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser()


NO, YES = False, True
RATE_LIMIT = (20_000, 2_000)
CLUSTER_SCHEMES = ("redis+cluster://", "rediss+cluster://")
SHARDS_OF_MANY = 16
SETTINGS = (
    Setting("GLIMPSE_DATA_DIR", "data_dir", Path(".glimpse"), _path, "folder", "where buffer and store live"),
    Setting(
        "GLIMPSE_REDIS_URL",
        "redis_url",
        None,
        str,
        "URL",
        "a Redis or Valkey to use instead of the embedded one; `redis+cluster://` for a cluster",
    ),
    Setting("GLIMPSE_STORE_URL", "store_url", None, str, "URL", "a ClickHouse to store in, instead of DuckDB's file"),
    Setting(
        "GLIMPSE_STORE_MEMORY_MB",
        "store_memory_mb",
        512,
        _at_least(128),  # with less, questions leave too little for what is to be committed
        "MB",
        "the most that DuckDB holds in memory; a question that needs more takes longer, and files beside the store",
    ),
    Setting("REDIS_HOST", "redis_host", None, str, "host", "the same, as host and port"),
    Setting("REDIS_PORT", "redis_port", 6379, _positive(int), "port", "port of REDIS_HOST"),
    Setting(
        "GLIMPSE_APPENDFSYNC",
        "appendfsync",
        "everysec",
        _appendfsync,
        "always or everysec",
        "how often the embedded Valkey flushes to disk",
    ),
    Setting(
        "GLIMPSE_GEOIP_DB",
        "geoip_db",
        None,
        _path,
        "file",
        "a GeoLite2, GeoIP2 or DB-IP City mmdb instead of the bundled one",
    ),
    Setting(
        "GLIMPSE_GEO_CACHE_SIZE",
        "geo_cache_size",
        50_000,
        _positive(int),
        "networks",
        "size of the LRU cache in front of the geo database",
    ),
    Setting("MAXMIND_ACCOUNT_ID", "maxmind_account_id", None, str, "", "account for `glimpse geo update`"),
    Setting("MAXMIND_LICENSE_KEY", "maxmind_license_key", None, str, "", "key for `glimpse geo update`"),
    Setting(
        "GLIMPSE_SESSION_TIMEOUT_S", "session_timeout_s", 300, _positive(int), "seconds", "silence that ends a session"
    ),
    Setting(
        "GLIMPSE_TRUSTED_PROXIES",
        "trusted_proxies",
        ("127.0.0.0/8", "::1/128"),
        _networks,
        "networks, by comma",
        "peers whose word on the client's address counts",
    ),
    Setting(
        "GLIMPSE_CLIENT_ADDRESS_HEADER",
        "client_address_header",
        None,
        _header,
        "header",
        "the one header of theirs that counts, such as CF-Connecting-IP",
    ),
    Setting(
        "GLIMPSE_PUBLIC",
        "is_public",
        NO,
        _flag,
        "1 or 0",
        "let clients that are not on loopback see dashboard and read API",
    ),
    Setting(
        "GLIMPSE_PUBLIC_URL",
        "public_url",
        None,
        _site,
        "URL",
        "where tracked pages find this server; the empty dashboard and `glimpse project add` show the tag with it",
    ),
    Setting(
        "GLIMPSE_HOME",
        "home",
        None,
        position,
        "latitude,longitude",
        "where the map's arcs lead, such as 52.37,4.90; without it, or a project's own, there are none",
    ),
    Setting(
        "GLIMPSE_ALLOW_HEADLESS",
        "allows_headless",
        NO,
        _flag,
        "1 or 0",
        "don't drop headless browsers as bots (for tests)",
    ),
    Setting(
        "GLIMPSE_NAME_ALIASES",
        "name_aliases",
        YES,
        _flag,
        "1 or 0",
        "call page views and the like by one name, however their senders spell it",
    ),
    Setting(
        "GLIMPSE_TAKES_DEMO",
        "takes_demo",
        NO,
        _flag,
        "1 or 0",
        "take the project demo also when it is not registered (`glimpse demo` sets it)",
    ),
    Setting("GLIMPSE_FLUSH_ROWS", "flush_rows", 100, _positive(int), "rows", "the store commits when so many wait"),
    Setting(
        "GLIMPSE_FLUSH_INTERVAL_S",
        "flush_interval_s",
        5.0,
        _positive(float),
        "seconds",
        "or when the oldest has waited so long",
    ),
    Setting(
        "GLIMPSE_DRAIN",
        "drains",
        YES,
        _flag,
        "1 or 0",
        "0 leaves drain and store to another process on the same data folder, such as `glimpse work`",
    ),
    Setting(
        "GLIMPSE_RETENTION_DAYS",
        "retention_days",
        None,
        _positive(int),
        "days",
        "how long events are kept, where a project says nothing else (default: for ever)",
    ),
    Setting("GLIMPSE_WINDOW_MINUTES", "window_minutes", 30, _positive(int), "minutes", "how far back live views look"),
    Setting(
        "GLIMPSE_WINDOW_EVENTS",
        "window_events",
        200_000,
        _positive(int),
        "events",
        "the most a live view holds; past it the view says what it covers",
    ),
    Setting(
        "GLIMPSE_MAX_BODY_BYTES",
        "max_body_bytes",
        512 * 1024,
        _positive(int),
        "bytes",
        "largest request body on the wire",
    ),
    Setting(
        "GLIMPSE_MAX_INFLATED_BYTES",
        "max_inflated_bytes",
        1024 * 1024,
        _positive(int),
        "bytes",
        "largest body after gzip",
    ),
    Setting("GLIMPSE_MAX_BATCH", "max_batch_events", 500, _positive(int), "events", "most events in a batch"),
    Setting("GLIMPSE_MAX_EVENT_BYTES", "max_event_bytes", 32 * 1024, _positive(int), "bytes", "largest single event"),
    Setting("GLIMPSE_MAX_DEPTH", "max_depth", 16, _positive(int), "levels", "deepest nesting of an event"),
    Setting("GLIMPSE_MAX_PROPERTIES", "max_properties", 100, _positive(int), "keys", "most properties of an event"),
    Setting("GLIMPSE_MAX_KEY", "max_key_chars", 128, _positive(int), "code points", "longest key"),
    Setting("GLIMPSE_MAX_STRING", "max_string_chars", 4096, _positive(int), "code points", "longest string"),
    Setting("GLIMPSE_MAX_NAME", "max_name_chars", 200, _positive(int), "code points", "longest event name"),
    Setting(
        "GLIMPSE_BUFFER_HIGH_MARK",
        "buffer_high_mark",
        1_000_000,
        _positive(int),
        "entries",
        "the edge answers 503 past this backlog",
    ),
    Setting(
        "GLIMPSE_SHARDS",
        "shards",
        None,
        _positive(int),
        "shards",
        "parts of the event stream, each drained by one process at a time; everywhere the same"
        " (default: 1; on a Redis Cluster, and for ClickHouse with a Redis that is named, 16)",
    ),
    Setting(
        "GLIMPSE_MAX_CONNECTIONS",
        "max_connections",
        10_000,
        _positive(int),
        "connections",
        "most that one worker of `glimpse collect` holds; past it they are told to come again",
    ),
    Setting(
        "GLIMPSE_RATE_LIMIT",
        "rate_limit",
        RATE_LIMIT,
        _rates,
        "events a second",
        "what each project may send, or `project,network`; past it the answer is 429; 0 is no limit",
    ),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Build it with `Settings.from_environment()`, or by keywords in tests."""

    data_dir: Path = Path(".glimpse")
    redis_url: str | None = None
    store_url: str | None = None
    store_memory_mb: int = 512
    redis_host: str | None = None
    redis_port: int = 6379
    appendfsync: str = "everysec"
    geoip_db: Path | None = None
    geo_cache_size: int = 50_000
    maxmind_account_id: str | None = None
    maxmind_license_key: str | None = None
    session_timeout_s: int = 300
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    client_address_header: str | None = None
    is_public: bool = False
    public_url: str | None = None
    home: tuple[float, float] | None = None
    allows_headless: bool = False
    name_aliases: bool = True
    takes_demo: bool = False
    flush_rows: int = 100
    flush_interval_s: float = 5.0
    drains: bool = True
    retention_days: int | None = None
    window_minutes: int = 30
    window_events: int = 200_000
    max_body_bytes: int = 512 * 1024
    max_inflated_bytes: int = 1024 * 1024
    max_batch_events: int = 500
    max_event_bytes: int = 32 * 1024
    max_depth: int = 16
    max_properties: int = 100
    max_key_chars: int = 128
    max_string_chars: int = 4096
    max_name_chars: int = 200
    buffer_high_mark: int = 1_000_000
    shards: int | None = None
    max_connections: int = 10_000
    rate_limit: tuple[float, float] = RATE_LIMIT

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read every setting, or raise `SettingsError` that names the variable, its value and what is allowed."""
        environment = os.environ if environment is None else environment
        return cls(
            **{s.field: _read(s, environment[s.variable]) for s in SETTINGS if environment.get(s.variable, "") != ""}
        )

    @property
    def shard_count(self) -> int:
        """Return how many shards there are; where one process drains all of them, more than one would only cost."""
        is_cluster = (self.redis_url or "").startswith(CLUSTER_SCHEMES)
        is_shared = (self.store_url or "").startswith(("clickhouse://", "clickhouses://"))
        may_be_shared = is_shared and self.server_redis_url is not None
        return self.shards or (SHARDS_OF_MANY if is_cluster or may_be_shared else 1)

    @property
    def server_redis_url(self) -> str | None:
        """Address of the Redis that was named, or None when Glimpse runs its own."""
        if self.redis_url:
            return self.redis_url
        return f"redis://{self.redis_host}:{self.redis_port}/0" if self.redis_host else None


def environment_with(**variables: str) -> dict[str, str]:
    """Return this process' environment with some variables set, for a process that it starts."""
    return dict(os.environ) | variables


def _read(setting: Setting, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as problem:
        unit = f" ({setting.unit})" if setting.unit else ""
        raise SettingsError(
            f"{setting.variable}={text!r} is not allowed: {problem}; it is {setting.help}{unit}"
        ) from None


def settings_table() -> str:
    """Return the README's table of settings, in Markdown."""
    rows = [f"| `{s.variable}` | {_shown(s.default)} | {s.unit} | {s.help} |" for s in SETTINGS]
    return "\n".join(["| variable | default | unit | what |", "|---|---|---|---|", *rows])


def _shown(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`"
    return f"`{int(default) if isinstance(default, bool) else default}`"
