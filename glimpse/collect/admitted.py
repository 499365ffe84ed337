"""What of a request goes on: a hash and a network stand for the address, which ends here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from glimpse.buffer import shard_of
from glimpse.collect.address import ClientAddress, describe_address, parse_address
from glimpse.collect.crawlers import MOST_JUDGED_CHARS
from glimpse.collect.straight import KnownSender
from glimpse.collect.visitor import visitor_hash
from glimpse.events import AdmittedEvent, ClaimedEvent

_NOWHERE = ClientAddress("", None, is_private=False, is_loopback=False)

Salts = tuple[bytes, bytes | None]  # today's, and yesterday's for a while


class _Visitor(NamedTuple):
    """Whose an event is, as far as it may go on."""

    client: ClientAddress
    user_agent: str
    hash: str
    hash_before: str | None
    key: str  # tells visitors apart as the hash does, but not by the salt


def admitted(
    events: Sequence[ClaimedEvent], known: KnownSender, salts: Salts, received_at: int, shards: int = 1
) -> list[AdmittedEvent]:
    """Return a request's events as the buffer takes them; what those of one visitor share is worked out once."""
    found: list[AdmittedEvent] = []
    visitors: dict[tuple[str, str | None], _Visitor] = {}
    for event in events:
        if event.by_server or event.person is not None:
            visitor = _visitor_of(event, known, salts)
        else:
            own = event.project, event.context.get("userAgent")
            visitor = visitors.get(own) or visitors.setdefault(own, _visitor_of(event, known, salts))
        client, user_agent, its_hash, hash_before, key = visitor
        found.append(
            AdmittedEvent(
                project=event.project,
                id=event.id or str(uuid.uuid4()),
                name=event.name,
                time=event.timestamp,
                received_at=received_at,
                client_session=event.session_id,
                visitor=event.visitor or its_hash,
                visitor_before=hash_before,
                network=client.network,
                is_private_peer=client.is_private,
                user_agent=user_agent,
                properties=event.properties,
                context=event.context | {"timeWasReplaced": True} if event.time_was_replaced else event.context,
                user_id=event.user_id,
                anonymous_id=event.anonymous_id,
                traits=event.traits,
                shard=shard_of(shards, event.project, event.session_id or key) if shards > 1 else 0,
            )
        )
    return found


def _visitor_of(event: ClaimedEvent, known: KnownSender, salts: Salts) -> _Visitor:
    sender, client, (today, before) = known.sender, known.sender.client, salts
    # A server that passes events on says whose they are by context.userAgent.
    user_agent = (event.context.get("userAgent") or ("" if event.by_server else sender.user_agent))[:MOST_JUDGED_CHARS]
    if event.by_server:
        client = _claimed_client(event.address)
    who = (event.person, "") if event.person is not None else (client.text, user_agent)
    is_sender = event.person is None and client is sender.client
    return _Visitor(
        client,
        user_agent,
        known.visitor(today, event.project, user_agent) if is_sender else visitor_hash(today, event.project, *who),
        visitor_hash(before, event.project, *who) if before else None,
        "\0".join(who),
    )


def _claimed_client(address: str | None) -> ClientAddress:
    """Return the visitor that a server tells of; its own address would put all visitors into its data centre."""
    parsed = parse_address(address) if address else None
    return describe_address(parsed) if parsed else _NOWHERE
