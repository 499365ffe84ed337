"""posthog for Python against a Glimpse: python-posthog.py <host> <API key> <epoch ms> <1 for gzip>."""

import json
import sys
from datetime import UTC, datetime

from posthog import Posthog

host, api_key, base, gzip = sys.argv[1:]
errors: list[str] = []
client = Posthog(api_key, host=host, gzip=gzip == "1", on_error=lambda error, _batch: errors.append(str(error)))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(base) / 1000 + seconds, UTC)


facts = {"$ip": "81.2.69.142", "$session_id": "01a20f8e-04ed-773c-afd9-fe9a4e898e00"}
page = {"$current_url": "https://shop.test/pricing?ref=1", "$pathname": "/pricing", "layout": "wide"}
client.capture("$pageview", distinct_id="user-1", properties={**facts, **page}, timestamp=at(0))
properties = {"plan": "pro", "price": 9.99, "tags": ["a", "b"], **facts}
client.capture("signup", distinct_id="user-1", properties=properties, timestamp=at(1))
client.capture("search", distinct_id="user-2", timestamp=at(2))
client.set(distinct_id="user-1", properties={"email": "a@example.test"}, timestamp=at(3))
client.alias("anon-1", "user-1", timestamp=at(4))
client.group_identify("company", "acme-1", {"name": "Acme"}, timestamp=at(5))
flags = client.get_all_flags("user-1")
client.shutdown()
print(json.dumps({"errors": errors, "flags": flags}))
