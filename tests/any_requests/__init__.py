"""Any number of requests that nobody wants: real ones and generated ones, made wrong; each is told by seed and number.

`Requests(seed).make(number)` is always the same request, so a failure is repeated by its two numbers.
"""

from any_requests.generate import AnyRequest, Requests
from any_requests.in_process import answer
from any_requests.on_the_wire import Heard, RawRequest, hear, raw_request

__all__ = ["AnyRequest", "Heard", "RawRequest", "Requests", "answer", "hear", "raw_request"]
