"""What other trackers export as CSV: a module for each says what a row of theirs is here.

Rule of this package: no user agent, address or id of a person is taken over, and ids follow from the row alone, so that
a file that comes twice changes nothing.
"""

from glimpse.transfer.readers.vendors.files import VENDORS, LeftOut, read_rows, vendor_of

__all__ = ["VENDORS", "LeftOut", "read_rows", "vendor_of"]
