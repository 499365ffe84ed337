"""Files of rows, read: `rows.py` says what a row must be, `files.py` reads Glimpse's own formats, `vendors/` others'.

Rule of this package: a row with a fault is told with its line and the reason, and the others are kept.
"""

from glimpse.transfer.readers.files import Fault, Found, read_file
from glimpse.transfer.readers.rows import read_event, read_session
from glimpse.transfer.readers.size import most_rows
from glimpse.transfer.readers.vendors import VENDORS, LeftOut, read_rows, vendor_of

__all__ = [
    "VENDORS",
    "Fault",
    "Found",
    "LeftOut",
    "most_rows",
    "read_event",
    "read_file",
    "read_rows",
    "read_session",
    "vendor_of",
]
