"""Everything Glimpse raises, as one tree.

GlimpseError
├── SettingsError        a setting has a value that is not allowed
├── BufferUnavailable    Redis can't take or give events now; the edge answers 503
├── StoreError
│   ├── StoreLocked      another process owns the store
│   ├── StoreCorrupt     the file is there but can't be opened; it is never overwritten
│   └── StoreUnavailable the store can't commit now (disk full); events stay in the buffer
├── QueryError           a question about the data has a mistake; the message says where
└── GeoDataError         a geo database can't be built, fetched or verified

Expected outcomes are values, not exceptions: see `glimpse.events.DropReason`.
"""

from __future__ import annotations


class GlimpseError(Exception):
    """Root of what Glimpse raises on purpose."""


class SettingsError(GlimpseError):
    """A setting has a value that is not allowed; the message names it and what is."""


class BufferUnavailable(GlimpseError):
    """Redis can't take or give events now."""


class StoreError(GlimpseError):
    """The store can't do what was asked."""


class StoreLocked(StoreError):
    """Another process owns the store; the message names its process id."""


class StoreCorrupt(StoreError):
    """The store's file can't be opened; it is left as it is."""


class StoreUnavailable(StoreError):
    """The store can't commit now; what waits stays in the buffer."""


class QueryError(GlimpseError):
    """A question about the data has a mistake; the message says where and what is allowed."""


class GeoDataError(GlimpseError):
    """A geo database can't be built, fetched or verified."""
