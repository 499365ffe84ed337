"""What of a request goes on: a hash and a network stand for the address, which ends here."""

from __future__ import annotations

import uuid

from glimpse.buffer import shard_of
from glimpse.collect.address import ClientAddress, describe_address, parse_address
from glimpse.collect.crawlers import MOST_JUDGED_CHARS
from glimpse.collect.straight import KnownSender
from glimpse.collect.visitor import visitor_hash
from glimpse.events import AdmittedEvent, ClaimedEvent

_NOWHERE = ClientAddress("", None, is_private=False, is_loopback=False)

Salts = tuple[bytes, bytes | None]  # today's, and yesterday's for a while


def admitted(
    event: ClaimedEvent,
    known: KnownSender,
    salts: Salts,
    received_at: int,
    shards: int = 1,
) -> AdmittedEvent:
    """Return an event as the buffer takes it. Its shard follows from what its hash does, but not from the salt."""
    sender, client, (today, before) = known.sender, known.sender.client, salts
    # A server that passes events on says whose they are by context.userAgent.
    user_agent = (event.context.get("userAgent") or ("" if event.by_server else sender.user_agent))[:MOST_JUDGED_CHARS]
    if event.by_server:
        client = _claimed_client(event.address)
    who = (event.person, "") if event.person is not None else (client.text, user_agent)
    is_sender = event.person is None and client is sender.client
    visitor = known.visitor(today, event.project, user_agent) if is_sender else visitor_hash(today, event.project, *who)
    return AdmittedEvent(
        project=event.project,
        id=event.id or str(uuid.uuid4()),
        name=event.name,
        time=event.timestamp,
        received_at=received_at,
        client_session=event.session_id,
        visitor=event.visitor or visitor,
        visitor_before=visitor_hash(before, event.project, *who) if before else None,
        network=client.network,
        is_private_peer=client.is_private,
        user_agent=user_agent,
        properties=event.properties,
        context=event.context | {"timeWasReplaced": True} if event.time_was_replaced else event.context,
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        traits=event.traits,
        shard=shard_of(shards, event.project, event.session_id or "\0".join(who)) if shards > 1 else 0,
    )


def _claimed_client(address: str | None) -> ClientAddress:
    """Return the visitor that a server tells of; its own address would put all visitors into its data centre."""
    parsed = parse_address(address) if address else None
    return describe_address(parsed) if parsed else _NOWHERE
