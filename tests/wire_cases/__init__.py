"""The contract of the wire as one table: what is sent to `POST /event`, what is answered, what is stored afterwards.

Every server has to pass it. Times are relative to `NOW`, which is what the server's clock has to say.
"""

from wire_cases.bodies import compression, no_events
from wire_cases.case import NOW, Case
from wire_cases.clocks import times
from wire_cases.limits import limits
from wire_cases.shapes import contents, forms
from wire_cases.values import oddities

__all__ = ["CASES", "NOW", "Case"]

CASES = (*forms(), *contents(), *times(), *limits(), *oddities(), *no_events(), *compression())
