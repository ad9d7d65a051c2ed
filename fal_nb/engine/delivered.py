"""What a webhook delivered, as the answer that a job waits for; ``Ending`` waits for fal and for a delivery at once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fal_nb.errors import FalClientHTTPError, NotFoundError, error_from_response

if TYPE_CHECKING:
    from fal_nb.engine.contract import Answer
    from fal_nb.ledger.deliveries import KeptDelivery
    from fal_nb.protocol.status import JSON

__all__ = ["DeliveredAnswer", "Ending", "answer_in", "error_in"]

_STATUS = re.compile(r"(?<![0-9])([45][0-9]{2})(?![0-9])")


@dataclass(frozen=True, slots=True)
class DeliveredAnswer:
    """A result that came by a webhook."""

    data: JSON
    billable_units: float | None
    request_id: str | None


class Ending:
    """How a job learns of its request's end: from fal, or from a delivery where that is here first.

    A job that is carried on may have been told its end while nobody followed it; fal may be out of reach; and it may
    keep the result no more. Lives on the loop's thread.

    Parameters
    ----------
    look
        Returns what was delivered, if anything.
    on_delivered
        Awaited before a delivered end is taken for the answer.
    """

    def __init__(
        self, look: Callable[[], Awaitable[KeptDelivery | None]], on_delivered: Callable[[], Awaitable[None]]
    ) -> None:
        self._look = look
        self._on_delivered = on_delivered
        self._delivered: list[KeptDelivery] = []
        self._asking: asyncio.Task[Answer] | None = None

    def deliver(self, delivery: KeptDelivery) -> None:
        """Take what was delivered, unless the end is known already."""
        if self._asking is not None and not self._delivered:
            self._delivered.append(delivery)
            self._asking.cancel()

    async def wait(self, ask: Callable[[], Coroutine[Any, Any, Answer]], *, is_new: bool) -> Answer:
        """Return the result, or raise what the request came to.

        Parameters
        ----------
        is_new
            Whether the request was made a moment ago, so that nothing can have been delivered yet.
        """
        if not is_new:
            await self._look_once()
        if not self._delivered:
            self._asking = asyncio.ensure_future(ask())
            try:
                return await self._asking
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._delivered or task is None or task.cancelling():
                    raise
            except NotFoundError:
                await self._look_once()
                if not self._delivered:
                    raise
            finally:
                self._asking = None
        await self._on_delivered()
        return answer_in(self._delivered[0])

    async def _look_once(self) -> None:
        found = await self._look()
        if found is not None:
            self._delivered.append(found)


def answer_in(delivery: KeptDelivery) -> DeliveredAnswer:
    """Return the result that was delivered.

    Raises
    ------
    FalClientHTTPError
        What the request came to, where it failed.
    """
    if not delivery.is_ok:
        raise error_in(delivery)
    return DeliveredAnswer(delivery.payload, delivery.billable_units, delivery.request_id)


def error_in(delivery: KeptDelivery) -> FalClientHTTPError:
    """Return the error that a failure was delivered as: its status stands in a sentence, its body beside it."""
    found = _STATUS.search(delivery.error or "")
    payload = delivery.payload
    if not isinstance(payload, Mapping) or "detail" not in payload:
        payload = {"detail": payload or delivery.error or "no detail"}
    # Where no status is named it is a failure of fal's own.
    status = int(found[1]) if found else 500
    return error_from_response(status, {}, json.dumps(payload).encode(), request_id=delivery.request_id)
