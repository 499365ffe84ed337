"""Rows as a file that a browser saves: CSV for a spreadsheet, Parquet for all else."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

from glimpse.views.ask import Rows

KINDS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take it for a formula


def file_of(rows: Rows, name: str, kind: str) -> dict[str, Any]:
    """Return what `save.js` makes a file of: its name, type and content in base64.

    Parameters
    ----------
    kind
        One of `KINDS`.
    """
    content = as_csv(rows).encode() if kind == "csv" else as_parquet(rows)
    return {"name": f"{name}.{kind}", "type": KINDS[kind], "content": base64.b64encode(content).decode()}


def as_csv(rows: Rows) -> str:
    """Return rows as a spreadsheet reads them; what would be a formula there becomes text."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(rows[0] if rows else [])
    out.writerows([_plain(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def as_parquet(rows: Rows) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - only who saves one pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()
