"""``OpenWork``: all open calls of all kernels of a history, and what they cost, looked at again and again.

It reads and sends nothing: however many calls are open, a look costs two queries and fifty rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from fal_nb.errors import FalError
from fal_nb.states import FINAL_STATES, State

if TYPE_CHECKING:
    from fal_nb.engine.following import Following
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.engine.stalls import Stalled
    from fal_nb.engine.wire import ClientWire
    from fal_nb.ledger.budgets import Spending
    from fal_nb.ledger.open_rows import OpenRecord
    from fal_nb.settings import Settings

__all__ = ["MOST_ROWS", "OpenRow", "OpenWork", "Whose", "WorkMoment"]

MOST_ROWS = 50
_LOOK_S = 0.5
_IDLE_S = 2.0
_LINGER_S = 6.0
_AT_FAL = frozenset({"QUEUED", "RUNNING"})

Whose: TypeAlias = Literal["here", "elsewhere", "nobody"]
"""Who follows a call: this kernel, another one, or nobody since its kernel ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """One call at one moment; times are Unix seconds, amounts in `currency`.

    Attributes
    ----------
    queue_position, progress, steps, expected_s
        As in `JobSnapshot`; only the kernel that follows a call knows them.
    estimate
        What it should cost at most.
    can_cancel
        Whether it can be cancelled from here: it is open, and went where calls go now.
    moved
        When it last changed in the history; None where this kernel follows it, which knows better.
    """

    record_id: int
    endpoint: str
    backend: str
    state: State
    whose: Whose
    created: float
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    queue_position: int | None = None
    progress: float | None = None
    steps: tuple[int, int] | None = None
    expected_s: float | None = None
    estimate: float | None = None
    cost: float | None = None
    currency: str | None = None
    cancel: str | None = None
    can_cancel: bool = False
    moved: float | None = None
    stalled: Stalled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMoment:
    """Everything at one moment.

    Attributes
    ----------
    counts
        Open state → how many, all rows counted.
    rows
        At most `MOST_ROWS`: what runs, what waits, then what has ended a moment ago.
    spending
        ``session`` and ``daily``; empty where they cannot be had.
    paused_s, held_back
        Until when fal's limit holds calls back, as Unix time in seconds, or None; how many wait for it here.
    trouble
        Why the history cannot be read just now, else None.
    """

    at: float
    counts: dict[State, int] = field(default_factory=dict)
    rows: tuple[OpenRow, ...] = ()
    spending: dict[str, Spending] = field(default_factory=dict)
    paused_until: float | None = None
    held_back: int = 0
    trouble: str | None = None

    @property
    def open_count(self) -> int:
        """How many calls are open."""
        return sum(self.counts.values())


WorkObserver: TypeAlias = Callable[[WorkMoment], None]


class OpenWork:
    """Looks at a session's history. `look` blocks and is for any thread but the loop's; the rest is for the loop's."""

    def __init__(self, session: Following) -> None:
        self._session = session
        self._observers: list[WorkObserver] = []
        self._task: asyncio.Task[object] | None = None
        self._lock = threading.Lock()
        self._ended: dict[int, OpenRow] = {}
        self.moment = WorkMoment(at=time.time())

    def look(self) -> WorkMoment:
        """Look now, and return what there is; blocks shortly."""
        if not self._observers:  # nobody has seen what was open when it was last looked at
            self.moment, self._ended = WorkMoment(at=time.time()), {}
        self.moment = self._read()
        return self.moment

    def observe(self, observer: WorkObserver) -> None:
        """Call the observer with each new moment, at most twice a second."""
        self._observers.append(observer)
        if self._task is None or self._task.done():
            self._task = self._session.track(self._look_on(), lambda _task: None)

    def unobserve(self, observer: WorkObserver) -> None:
        """Stop calling the observer; when the last one has gone nothing is looked at any more."""
        with contextlib.suppress(ValueError):
            self._observers.remove(observer)

    def cancel(self, record_id: int) -> None:
        """Ask fal to stop a call, whoever follows it; what goes wrong is told in the call's card and record."""
        self._session.track(asyncio.to_thread(self._cancel, record_id), lambda _task: None)

    def keep_waiting(self, record_id: int) -> None:
        """Say for a while no more that a call has stalled."""
        self._session.keep_waiting(record_id)

    async def _look_on(self) -> None:
        while self._observers:
            before = self.moment
            moment = await asyncio.to_thread(self._read)
            self.moment = moment = replace(moment, rows=tuple(map(self._with_stall, moment.rows)))
            if replace(moment, at=before.at) != before:
                for observer in tuple(self._observers):
                    observer(moment)
            await asyncio.sleep(_LOOK_S if moment.rows else _IDLE_S)

    def _with_stall(self, row: OpenRow) -> OpenRow:
        """Return a row of another kernel's call with the word that it has stalled; ours say it themselves."""
        if row.moved is None or row.state not in _AT_FAL:
            return row
        called, shape = (row.endpoint, row.backend), (row.state, row.moved)
        found = self._session.stalls.look(row.record_id, called, shape, since=row.moved, now=time.time())
        return replace(row, stalled=found)

    # -- in a worker thread --------------------------------------------------------------------------------

    def _read(self) -> WorkMoment:
        with self._lock:
            return self._read_now(time.time(), self._session.known_settings, self._session.open_wire)

    def _read_now(self, now: float, settings: Settings | None, wire: ClientWire | None) -> WorkMoment:
        session = self._session
        try:
            counts, records = session.history.open_now(MOST_ROWS)
            rows = [self._row(record, settings) for record in records]
            rows += self._ended_rows({row.record_id for row in rows}, is_all=len(rows) == sum(counts.values()), now=now)
            is_simulated = settings is None or settings.backend == "simulator"
            spending = session.money.spending(is_simulated=is_simulated)
        except FalError as error:
            return WorkMoment(at=now, trouble=str(error))
        paused_s = wire.gate.paused_s if wire is not None else 0.0
        return WorkMoment(
            at=now,
            counts=counts,
            rows=tuple(rows[:MOST_ROWS]),
            spending=spending,
            paused_until=round(now + paused_s, 1) if paused_s else None,
            held_back=wire.gate.waiting if wire is not None else 0,
        )

    def _row(self, record: OpenRecord, settings: Settings | None) -> OpenRow:
        is_here = settings is not None and (record.backend, record.base_url) == (settings.backend, settings.hosts.base)
        job = self._session.known_job(record.id)
        if job is not None and not job.done and record.owner == self._session.owner:
            return _of_snapshot(job.snapshot)
        whose: Whose = "nobody" if record.owner is None else "elsewhere"
        if record.owner == self._session.owner:
            whose = "here"
        return OpenRow(
            record_id=record.id,
            endpoint=record.endpoint,
            backend=record.backend,
            state=record.state,
            whose=whose,
            created=record.created,
            submitted=record.submitted,
            started=record.started,
            estimate=record.estimate,
            currency=record.currency,
            cancel=record.cancel,
            can_cancel=is_here and record.cancel is None,
            moved=record.updated,
        )

    def _ended_rows(self, still_open: set[int], *, is_all: bool, now: float) -> Sequence[OpenRow]:
        """Return what has ended a moment ago, so that nobody wonders where a row went."""
        before = {row.record_id: row for row in self.moment.rows if row.state not in FINAL_STATES}
        for record_id in before.keys() - still_open if is_all else ():
            self._ended[record_id] = self._how_it_ended(before[record_id], now)
        self._ended = {
            record_id: row
            for record_id, row in self._ended.items()
            if now - (row.ended or now) < _LINGER_S and record_id not in still_open
        }
        return [self._ended[record_id] for record_id in sorted(self._ended)]

    def _how_it_ended(self, row: OpenRow, now: float) -> OpenRow:
        record = self._session.history.get(row.record_id)
        row = replace(row, whose="here", can_cancel=False, stalled=None)
        return replace(row, state=record.state, ended=now, cost=record.cost, cancel=record.cancel)

    def _cancel(self, record_id: int) -> None:
        with contextlib.suppress(FalError):  # it has ended meanwhile, or went to another server
            self._session.job(record_id).request_cancel()


def _of_snapshot(snapshot: JobSnapshot) -> OpenRow:
    return OpenRow(
        record_id=snapshot.record_id,
        endpoint=snapshot.endpoint,
        backend=snapshot.backend,
        state=snapshot.state,
        whose="here",
        created=snapshot.created,
        submitted=snapshot.submitted,
        started=snapshot.started,
        ended=snapshot.ended,
        queue_position=snapshot.queue_position,
        progress=snapshot.progress,
        steps=snapshot.steps,
        expected_s=snapshot.expected_s,
        estimate=snapshot.estimate,
        cost=snapshot.cost,
        currency=snapshot.currency,
        cancel=snapshot.cancel,
        can_cancel=not snapshot.is_final and snapshot.cancel is None,
        stalled=snapshot.stalled,
    )
