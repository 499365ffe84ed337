"""Everything Glimpse raises, as one tree.

GlimpseError
├── SettingsError        a setting has a value that is not allowed
├── ProjectError         a project can't be registered, changed or found
├── BufferUnavailable    Redis can't take or give events now; the edge answers 503
│   └── LeaseLost        another process drains now what this one did; it stops before it stores anything
├── StoreError
│   ├── StoreLocked      another process owns the store
│   ├── StoreCorrupt     the file is there but can't be opened; it is never overwritten
│   ├── StoreRefused     a row is none that the store can hold
│   └── StoreUnavailable the store can't commit now (disk full); events stay in the buffer
├── QueryError           a question about the data has a mistake; the message says where
│   ├── QueryTooSlow     it took longer than a question may
│   └── QueryTooLarge    it needs more memory and disk than there is for it
├── TooManyFilters       as many filters as can be are being looked through live
├── ServerUnavailable    no Glimpse answers at an address, or it can't tell what was asked now
├── TransferError        a file of rows can't be read or written
└── GeoDataError         a geo database can't be built, fetched or verified

Expected outcomes are values, not exceptions: see `glimpse.events.DropReason`.
"""

from __future__ import annotations


class GlimpseError(Exception):
    """Root of what Glimpse raises on purpose."""


class SettingsError(GlimpseError):
    """A setting has a value that is not allowed; the message names it and what is."""


class ProjectError(GlimpseError):
    """A project can't be registered, changed or found; the message says why and what is allowed."""


class BufferUnavailable(GlimpseError):
    """Redis can't take or give events now."""


class LeaseLost(BufferUnavailable):
    """Another process drains now what this one did: whatever is not stored yet is the other's."""


class StoreError(GlimpseError):
    """The store can't do what was asked."""


class StoreLocked(StoreError):
    """Another process owns the store; the message names its process id."""


class StoreCorrupt(StoreError):
    """The store's file can't be opened; it is left as it is."""


class StoreRefused(StoreError):
    """A row is none that the store can hold, now or later; the message says why."""


class StoreUnavailable(StoreError):
    """The store can't commit now; what waits stays in the buffer."""


class StoreLost(StoreUnavailable):
    """The store refuses everything from now on, and has to be opened again."""


class QueryError(GlimpseError):
    """A question about the data has a mistake; the message says where and what is allowed."""


class QueryTooSlow(QueryError):
    """A question took longer than one may, and was ended."""


class QueryTooLarge(QueryError):
    """A question needs more memory than there is, and more disk beside it, and was ended."""


class TooManyFilters(GlimpseError):
    """As many filters as can be are being looked through live; one that nobody looks through any more makes room."""


class ServerUnavailable(GlimpseError):
    """No running Glimpse answers at an address, or it can't tell what was asked now."""


class TransferError(GlimpseError):
    """A file of rows can't be read or written; the message names it."""


class GeoDataError(GlimpseError):
    """A geo database can't be built, fetched or verified."""
