"""segment-analytics-python against a Glimpse: python-segment.py <host> <write key> <epoch ms> <1 for gzip>."""

import json
import sys
from datetime import UTC, datetime

from segment.analytics import Client

host, write_key, base, gzip = sys.argv[1:]
errors: list[str] = []
client = Client(write_key, host=host, gzip=gzip == "1", on_error=lambda error, _batch: errors.append(str(error)))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(base) / 1000 + seconds, UTC)


context = {"ip": "81.2.69.142", "locale": "en-GB"}
page = {"url": "https://shop.test/pricing?ref=1", "path": "/pricing", "title": "Pricing", "layout": "wide"}
client.page("user-1", "shop", "Pricing", page, context, timestamp=at(0))
client.track("user-1", "signup", {"plan": "pro", "price": 9.99, "tags": ["a", "b"]}, context, timestamp=at(1))
client.screen("user-1", None, "Cart", {"items": 2}, context, timestamp=at(2))
client.identify("user-1", {"email": "a@example.test"}, context, timestamp=at(3))
client.group("user-1", "acme-1", {"name": "Acme"}, context, timestamp=at(4))
client.alias("anon-1", "user-1", context, timestamp=at(5))
client.flush()
client.join()
print(json.dumps({"errors": errors}))
