"""``Intake``: what becomes of deliveries that are fal's: into the ledger first, then, in the background, the rest.

Its invariant: whoever delivered is told so only once it is on disk, and the same delivery is never worked on twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.engine.outcome import of_delivery
from fal_nb.errors import FalError
from fal_nb.ledger.deliveries import KeptDelivery, Taken
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.webhooks.settling import settle_lost_call

if TYPE_CHECKING:
    from fal_nb.protocol.webhooks import Delivery
    from fal_nb.webhooks.hands import Hands

__all__ = ["Intake"]

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
_log = logging.getLogger("fal_nb")

_LOST_WAITS_S = (0.0, 5.0, 30.0, 120.0)
"""fal's list can be a little behind its webhooks."""
_LOOK_S = 5.0
_UNITS_S = 30.0
_SHOWN_UNITS_S = 3.0
_FOREIGN_S = 24 * 3600.0
_CLOSE_S = 2.0


class Intake:
    """Takes deliveries in; lives on one event loop.

    Parameters
    ----------
    open_hands
        Opens what it works with; blocks, called once, in a thread.
    """

    def __init__(self, open_hands: Callable[[], Hands]) -> None:
        self._open_hands = open_hands
        self._opening: asyncio.Task[Hands] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._minding: asyncio.Task[None] | None = None

    async def open(self) -> Hands:
        """Open the ledger and take up what an earlier receiver left behind; at first use where nobody calls it.

        Raises
        ------
        HistoryError
            Where the history cannot be opened; the next call tries again.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.ensure_future(asyncio.to_thread(self._open_hands))
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    async def take(self, delivery: Delivery, units: float | None = None) -> Taken:
        """Write a delivery down and return what became of it, committed.

        Parameters
        ----------
        units
            Billable units, where the delivery's headers name them.

        Raises
        ------
        HistoryError
            Where it cannot be written: it has to come again.
        """
        hands = await self.open()
        kept = KeptDelivery.of(delivery, hands.client.settings.hosts.base, time.time(), units)
        changes = of_delivery(kept) if kept.tells_the_end else {}

        def write() -> Taken:
            hands.sign()
            return hands.history.deliveries.take(kept, changes, hands.owner, hands.followed)

        taken = await hands.run(write)
        if taken.fate == "taken" and taken.record_id is not None:
            self._begin(partial(self._finish, hands, taken.record_id))
        elif taken.fate == "held":
            hands.look(taken.owner)
            self._mind(hands)
        elif taken.fate == "foreign":
            self._begin(partial(self._find_lost, hands, kept))
        return taken

    async def aclose(self) -> None:
        """End what runs in the background: it is on disk, and whoever comes next goes on with it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)
        if self._opening is not None:
            with contextlib.suppress(Exception):
                await (await self._opening).aclose()
            self._opening = None

    # -- inside ------------------------------------------------------------------------------------------

    def _opened(self, opening: asyncio.Task[Hands]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._begin(partial(self._catch_up, opening.result()))

    def _begin(self, work: Work) -> None:
        """Start something that no delivery waits for."""
        task = asyncio.ensure_future(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _mind(self, hands: Hands) -> None:
        """See to deliveries whose kernel may end before it takes them in."""
        if self._minding is None or self._minding.done():
            self._minding = asyncio.ensure_future(_quietly(partial(self._keep_minding, hands)))
            self._tasks.add(self._minding)
            self._minding.add_done_callback(self._tasks.discard)

    async def _keep_minding(self, hands: Hands) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if not await self._give_waiting(hands):
                return

    async def _give_waiting(self, hands: Hands) -> bool:
        """Give waiting deliveries to records that nobody follows any more; return whether some still wait."""
        still = False
        for kept in await hands.run(hands.history.deliveries.waiting):
            changes = of_delivery(kept)

            def write(kept: KeptDelivery = kept, changes: dict[str, Any] = changes) -> Taken:
                hands.sign()
                return hands.history.deliveries.give(kept, changes, hands.owner, hands.followed)

            taken = await hands.run(write)
            if taken.fate == "taken" and taken.record_id is not None:
                self._begin(partial(self._finish, hands, taken.record_id))
            still = still or taken.fate == "held"
        return still

    async def _catch_up(self, hands: Hands) -> None:
        """Go on with what an earlier receiver had written down when it ended."""
        if await self._give_waiting(hands):
            self._mind(hands)

        def claim() -> set[int]:
            hands.sign()
            unfinished = hands.history.deliveries.unfinished(time.time())
            return hands.history.leases.claim(unfinished, hands.owner, time.time())

        for record_id in sorted(await hands.run(claim)):
            self._begin(partial(self._finish, hands, record_id))
        for kept in await hands.run(lambda: hands.history.deliveries.newest(foreign=True)):
            if kept.payload is not None and kept.received > time.time() - _FOREIGN_S:
                self._begin(partial(self._find_lost, hands, kept))

    async def _finish(self, hands: Hands, record_id: int) -> None:
        """Fetch the files and find out what it cost; first that where a card shows it and fal answers soon."""
        learning = asyncio.ensure_future(self._learn_units(hands, record_id))
        try:
            if hands.shows_jobs:
                await asyncio.wait({learning}, timeout=_SHOWN_UNITS_S)
            await hands.go_on(record_id)
            await learning
        finally:
            learning.cancel()

    async def _learn_units(self, hands: Hands, record_id: int) -> None:
        """Ask fal for the billable units, which a delivery does not tell; what fails leaves the cost open."""
        record = await hands.run(lambda: hands.history.get(record_id))
        settings = hands.client.settings
        if record.billable_units is not None or record.request_id is None or record.result is None:
            return
        if settings.backend == "fal" and settings.key is None:
            return
        with contextlib.suppress(FalError, TimeoutError):
            async with asyncio.timeout(_UNITS_S):
                answer = await hands.client.queue.result_if_ready(EndpointId.parse(record.endpoint), record.request_id)
            if answer is not None and answer.billable_units is not None:
                units = answer.billable_units
                await hands.run(lambda: hands.history.update(record_id, billable_units=units))

    async def _find_lost(self, hands: Hands, kept: KeptDelivery) -> None:
        """Look for a lost call whose request was delivered; several times, with pauses."""
        for wait_s in _LOST_WAITS_S:
            await asyncio.sleep(wait_s)
            await hands.run(hands.sign)
            record_id = await settle_lost_call(hands.client, hands.history, kept, hands.owner)
            if record_id is not None:
                await self._finish(hands, record_id)
                return


async def _quietly(work: Work) -> None:
    """Let nothing that goes wrong in the background be raised: it is on disk, and tried again at the next start."""
    try:
        await work()
    except FalError as error:
        _log.warning("webhooks: %s", error)
    except Exception:  # noqa: BLE001 - logged in full
        _log.exception("webhooks: an internal error; what was delivered is in the history")
