"""A realtime session on the record: one record from before it connects to its end, with what went over it.

Its one invariant: nothing is connected to before the record is on disk, and whatever ends the session ends the record.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fal_nb.client.realtime import AsyncRealtimeConnection
from fal_nb.engine.intent import NO_TERMS, Intent, Place, Terms
from fal_nb.engine.live_inputs import inlined, is_ready
from fal_nb.engine.money import settlement
from fal_nb.errors import FalError, JobError, LeaseLost, RealtimeError
from fal_nb.pricing.session_units import session_units
from fal_nb.pricing.unit import read_unit
from fal_nb.protocol.status import JSON

if TYPE_CHECKING:
    from collections.abc import Callable

    from fal_nb.engine.following import Following
    from fal_nb.engine.job import Job
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.ledger.deliveries import KeptDelivery
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.states import State

__all__ = ["LiveBook", "LiveFollower", "RecordedConnection"]

T = TypeVar("T")

_PERIOD_S = 5.0
"""How often an open session writes down how far it is, so that a kernel that is killed leaves that much."""
_UNPRICED: Mapping[str, Any] = {"estimate_low": None, "estimate_high": None}
"""Nobody can say beforehand how long a session will go on."""
_log = logging.getLogger("fal_nb")


class RecordedConnection(AsyncRealtimeConnection):
    """A connection whose session is one record of the history, and a job like any other.

    Attributes
    ----------
    job
        Its job; None until it is opened.
    """

    def __init__(self, *args: Any, book: LiveBook, **options: Any) -> None:
        super().__init__(*args, **options)
        self._book = book
        self._begun = asyncio.Lock()

    @property
    def job(self) -> Job | None:
        """The session's job, once it is opened."""
        return self._book.job

    async def open(self) -> Self:
        """Write the record, then connect; see `AsyncRealtimeConnection.open`.

        Raises
        ------
        BudgetError, AccountLockedError, HistoryError
            Where the record cannot be written; nothing is connected to.
        """
        async with self._begun:
            is_first = self._book.job is None and not self.is_closed
            if is_first:
                await self._book.begin(self)
            try:
                await super().open()
            except BaseException as error:
                if is_first:
                    await super().close()
                    await self._book.end(error)
                raise
            if is_first:
                await self._book.opened()
        return self

    async def send(self, arguments: JSON) -> None:
        """Send one input; see `AsyncRealtimeConnection.send`. Pictures, paths and arrays inside it travel with it.

        Raises
        ------
        FileError
            Where one cannot be read; nothing is sent.
        """
        if not is_ready(arguments):
            arguments = await asyncio.to_thread(inlined, arguments)
        await super().send(arguments)

    async def close(self) -> None:
        """Close it, and end its record."""
        await super().close()
        if self._book.job is not None:
            await self._book.end(None)


@dataclass(slots=True)
class LiveBook:
    """The way from a connection, on whatever loop it lives, to its record, which the session's own loop keeps."""

    session: Following
    endpoint: str
    place: Place
    terms: Terms = NO_TERMS
    more: Mapping[str, Any] = field(default_factory=dict)
    job: Job | None = None
    _follower: LiveFollower | None = None

    async def begin(self, connection: AsyncRealtimeConnection) -> None:
        """Write the record of a session that is about to connect."""
        intent = Intent(self.endpoint, {}, "realtime", more={**_UNPRICED, **self.more}, terms=self.terms)
        snapshot = await asyncio.to_thread(self.session.record_at, intent, self.place)
        here = asyncio.get_running_loop()

        def stop() -> None:
            if not here.is_closed():
                here.call_soon_threadsafe(lambda: asyncio.ensure_future(connection.close()))

        follower = LiveFollower(snapshot, connection, self.session, stop)
        self._follower = follower
        self.job = await self._there(self.session.follow_live(snapshot, follower))

    async def opened(self) -> None:
        """Write down that the session is open."""
        if self._follower is not None:
            await self._there(self._follower.opened())

    async def end(self, error: BaseException | None) -> None:
        """Write down how it ended; again it changes nothing."""
        if self._follower is not None:
            await self._there(self._follower.over(error))

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self.session.runtime.start_soon(work))


class LiveFollower:
    """The record's side of a session; lives on the session's loop alone, and takes a follower's place in its job."""

    def __init__(
        self,
        snapshot: JobSnapshot,
        connection: AsyncRealtimeConnection,
        session: Following,
        stop: Callable[[], None],
    ) -> None:
        self.snapshot = snapshot
        self.error: BaseException | None = None
        self.is_lost = False
        self.cancel_answered = asyncio.Event()
        self.log_entries: list[dict[str, Any]] = []
        self._connection = connection
        self._session = session
        self._stop = stop
        self._publish: Callable[[JobSnapshot], None] = lambda _snapshot: None
        self._over = asyncio.Event()
        self._settled = asyncio.Event()

    async def begin(self, publish: Callable[[JobSnapshot], None]) -> None:
        """Write down that it is about to connect, or connect to nothing."""
        self._publish = publish
        await self._session.recorder.update(self.snapshot.record_id, state="SUBMITTING")
        self._set(state="SUBMITTING")

    async def opened(self) -> None:
        """Write down that it is open."""
        now = time.time()
        await self._step(state="RUNNING", submitted=now, started=now)

    async def over(self, error: BaseException | None) -> None:
        """End the record, and return once it is written."""
        if not self._over.is_set():
            self.error = error if isinstance(error, Exception) else None
            self._over.set()
        await self._settled.wait()

    async def run(self) -> None:
        """Keep the record for as long as the session goes on."""
        try:
            while not self._over.is_set() and not self.is_lost:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _PERIOD_S)
                if not self._over.is_set() and self._connection.counts.connections:
                    await self._step(result=self._counted())
        except asyncio.CancelledError:
            self._stop()
            await self._end()
            raise
        except LeaseLost:
            self.lose()
        else:
            await self._end()

    def ask_cancel(self) -> None:
        """Close the connection, which is how a session ends; returns at once."""
        self._stop()

    def lose(self) -> None:
        """Write nothing more: another session has the record by now."""
        self.is_lost = True
        self._over.set()
        self._settled.set()
        self.cancel_answered.set()

    def deliver(self, delivery: KeptDelivery) -> None:
        """Take nothing: a webhook belongs to a request of the queue, and a session is none."""

    def amend(self, **changes: Any) -> None:
        """Show what has changed after the end."""
        self._set(**changes)

    async def take_price(self, columns: Mapping[str, Any]) -> None:
        """Take in what a unit costs; what a whole session would, nobody knows."""
        known = {name: columns[name] for name in ("unit_price", "currency") if name in columns}
        self._set(**known)
        await self._session.recorder.update(self.snapshot.record_id, **known)

    async def _end(self) -> None:
        if self._settled.is_set():
            return
        try:
            await self._step(**self._outcome(), billable_units=await self._units(), ended=time.time())
        except LeaseLost:
            self.is_lost = True
        finally:
            self._settled.set()
            self.cancel_answered.set()

    def _outcome(self) -> dict[str, Any]:
        """Return the state a session has come to, and what there is to say about it."""
        connection = self._connection
        counts = connection.counts
        request_id = connection.request_id
        if not counts.connections:
            if self.error is None or (connection.is_closed and isinstance(self.error, RealtimeError)):
                return {"state": "CANCELLED", "error": "Closed before it was open."}
            return {"state": "FAILED", "error": _words(self.error), "error_type": type(self.error).__name__}
        # The id is that of a connection: with it alone the record would be looked for in the queue.
        known = {"result": self._counted(), "request_id": request_id}
        failure = connection.failure
        if failure is None:
            return {"state": "SUCCEEDED", **known}
        self.error = failure
        is_cut = isinstance(failure, RealtimeError) and failure.error == "CONNECTION_CLOSED"
        state: State = "UNKNOWN" if is_cut and connection.in_flight else "FAILED"
        kind = failure.error if isinstance(failure, RealtimeError) else type(failure).__name__
        return {"state": state, "error": _words(failure), "error_type": kind, **known}

    def _counted(self) -> dict[str, Any]:
        counted = asdict(self._connection.counts) | {"open_s": self._connection.open_s}
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in counted.items()}

    async def _units(self) -> float | None:
        """Return what the session is billed for, as far as that can be told from here."""
        counts = self._connection.counts
        if not counts.connections:
            return 0.0
        price: UnitPrice | None = None
        with contextlib.suppress(FalError, TimeoutError):
            price = await asyncio.wait_for(self._session.unit_price_of(self.snapshot.endpoint), _PERIOD_S)
        if price is None:
            return None
        self._set(unit_price=price.unit_price, currency=price.currency)
        await self._session.recorder.update(
            self.snapshot.record_id, unit_price=price.unit_price, currency=price.currency
        )
        unit = read_unit(price.unit)
        return session_units(unit, open_s=self._connection.open_s, frames=counts.received, compute_s=counts.compute_s)

    async def _step(self, **changes: Any) -> None:
        changes |= settlement(self.snapshot, changes)
        error = await self._session.recorder.owed.write(self.snapshot.record_id, changes)
        if isinstance(error, LeaseLost):
            raise error
        if error is not None:
            _log.warning("job #%s: %s", self.snapshot.record_id, error)
            changes["next_step"] = f"Not in the history yet, it is written as soon as that is possible. {error}"
        self._set(**changes)

    def _set(self, **changes: Any) -> None:
        self.snapshot = replace(self.snapshot, **changes)
        self._publish(self.snapshot)


def _words(error: BaseException) -> str:
    """Return an error in one line; of one that is not ours its name alone."""
    known = error if isinstance(error, FalError) else JobError(f"An error ended it: {type(error).__name__}.")
    return str(known)
