"""Which lost call a delivery belongs to, where no record has its request.

A delivery holds neither endpoint nor arguments, so that a call whose id was lost is found as reconciling finds it: by
the account's list, and only where each is the only one the other can be.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from fal_nb.engine.matching import match
from fal_nb.engine.outcome import of_delivery, times
from fal_nb.engine.reconcile import lost_call, read_lists
from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.client.async_client import AsyncClient
    from fal_nb.ledger.deliveries import KeptDelivery
    from fal_nb.ledger.records import Record
    from fal_nb.ledger.store import HistoryStore

__all__ = ["settle_lost_call"]

_STORY = "Reconciled: a webhook's delivery told of request {0} (same arguments)."


async def settle_lost_call(
    client: AsyncClient, history: HistoryStore, delivery: KeptDelivery, owner: str
) -> int | None:
    """Find the lost call whose request was delivered, settle it, and return its record; None where there is none.

    Only calls that asked for a webhook can be meant, but all lost calls are looked at: where two are equal, neither
    is chosen.

    Parameters
    ----------
    owner
        The session that goes on with it.

    Raises
    ------
    FalError
        Where the list or the ledger cannot be had.
    """
    base = client.settings.hosts.base
    records = await asyncio.to_thread(_lost_records, history, base)
    if not any((record.options or {}).get("webhook") for record in records):
        return None
    place = ("", base)
    calls = [replace(await asyncio.to_thread(lost_call, record, history), place=place) for record in records]
    lists = await read_lists(client, calls, ())
    if lists.trouble is not None:
        raise FalError(lists.trouble)
    ids = {delivery.request_id, delivery.gateway_request_id}
    known = await asyncio.to_thread(history.settling.known_requests, [request.request_id for request in lists.requests])
    pairs = match(calls, lists.requests, known, place, incomplete=lists.incomplete).pairs
    for call, record in zip(calls, records, strict=True):
        request = pairs.get(record.id)
        if request is None or request.request_id not in ids or not (record.options or {}).get("webhook"):
            continue
        changes = {
            **of_delivery(delivery),
            "submitted": call.sent_from,
            **times(request, call.sent_from),
            "owner": owner,
        }
        story = _STORY.format(request.request_id)
        if await asyncio.to_thread(history.settling.settle, record.id, request.request_id, changes, story):
            await asyncio.to_thread(history.deliveries.give_to, delivery.request_id, record.id)
            return record.id
    return None


def _lost_records(history: HistoryStore, base: str | None) -> list[Record]:
    return [
        record
        for record in history.select(state="UNKNOWN")
        if record.base_url == base and record.request_id is None and record.kind != "realtime"
    ]
