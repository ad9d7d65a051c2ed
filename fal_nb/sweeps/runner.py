"""Runs the cells of a sweep through the session: a bounded window shared by all sweeps, one submission a cell.

Its invariant: a cell is called only where the history has no record of it that was or may have been sent.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias

from fal_nb.engine.intent import Terms
from fal_nb.errors import AccountLockedError, BudgetError, FalError

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.sweeps.cells import Cell

__all__ = ["Runner", "Stopped"]

Stopped: TypeAlias = Literal["budget", "lock", "cancelled"]
"""Why a sweep ended before its time."""

_running: weakref.WeakKeyDictionary[Session, list[Runner]] = weakref.WeakKeyDictionary()
_turns = itertools.count(1)
_log = logging.getLogger("fal_nb")


class Runner:
    """One run of a sweep; lives on the session's loop.

    Parameters
    ----------
    begin
        Starts the call of a cell and returns its job; blocks, so it is called in a worker thread.
    changed
        Called with the keys of cells that have changed, on the loop's thread.
    """

    def __init__(
        self,
        session: Session,
        cells: Iterable[Cell],
        window: int,
        begin: Callable[[Cell], Job],
        changed: Callable[[set[str]], None],
    ) -> None:
        self.stopped: Stopped | None = None
        self.failures: dict[str, str] = {}
        self._session = session
        self._waiting = deque(cells)
        self.window = window
        self._begin = begin
        self._changed = changed
        self._active: set[asyncio.Task[None]] = set()
        self._last = 0
        self._jobs: dict[str, Job] = {}
        self._is_paused = False
        self._woken = asyncio.Event()
        # Its own threads: a call may wait for a price or an upload, and nothing else of the session is to wait for it.
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="fal-nb-sweep")

    @property
    def is_paused(self) -> bool:
        """Whether no further cell is begun for the moment."""
        return self._is_paused

    async def run(self) -> None:
        """Call every cell; ends when all have ended, or, after a stop, when those under way have."""
        others = _running.setdefault(self._session, [])
        others.append(self)
        try:
            while (self._waiting and self.stopped is None) or self._active:
                _share_out(self._session)
                await self._woken.wait()
                self._woken.clear()
        finally:
            others.remove(self)
            _share_out(self._session)
            self._threads.shutdown(wait=False)

    def wake(self) -> None:
        """Look again whether there is room for another cell; on the loop."""
        self._woken.set()

    def pause(self) -> None:
        """Begin no further cell; those under way go on. On the loop."""
        self._is_paused = True

    def go_on(self) -> None:
        """Begin cells again; on the loop."""
        self._is_paused = False
        self.wake()

    def stop(self, why: Stopped) -> None:
        """Begin no further cell for good; a cancel asks those under way to stop, too. On the loop."""
        if self.stopped is None:
            self.stopped = why
        if why == "cancelled":
            for job in list(self._jobs.values()):
                job.request_cancel()
        self.wake()

    def cancel_cell(self, key: str) -> None:
        """Ask fal to stop one cell, or do not begin it; on the loop."""
        if key in self._jobs:
            self._jobs[key].request_cancel()
        left = [cell for cell in self._waiting if cell.key != key]
        if len(left) != len(self._waiting):
            self._waiting = deque(left)
            self.failures[key] = "cancelled before it was sent"
            self._changed({key})

    @property
    def under_way(self) -> int:
        """How many cells are being called."""
        return len(self._active)

    @property
    def wants(self) -> bool:
        """Whether it would begin another cell now."""
        is_held = self._is_paused or self.stopped is not None
        return bool(self._waiting) and not is_held and len(self._active) < self.window

    @property
    def turn(self) -> tuple[int, int]:
        """Where it stands in the line: who has the fewest cells under way, then who has waited longest, is next."""
        return len(self._active), self._last

    def begin_next(self, number: int) -> None:
        """Begin its next cell; on the loop."""
        self._last = number
        cell = self._waiting.popleft()
        task = asyncio.ensure_future(self._call(cell))
        self._active.add(task)
        task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._active.discard(task)
        self.wake()

    async def _call(self, cell: Cell) -> None:
        loop = asyncio.get_running_loop()
        try:
            job = await loop.run_in_executor(self._threads, self._begin, cell)
        except BudgetError as error:
            self._give_back(cell, str(error), "budget")
            return
        except AccountLockedError as error:
            self._give_back(cell, str(error), "lock")
            return
        except FalError as error:
            # One cell that cannot be called does not spoil the rest.
            self.failures[cell.key] = str(error)
            self._changed({cell.key})
            return
        except Exception as error:  # noqa: BLE001 - a mistake of ours in one cell does not spoil the rest either
            _log.error("a cell of a sweep could not be called", exc_info=error)
            self.failures[cell.key] = f"An internal error kept it from being called: {type(error).__name__}."
            self._changed({cell.key})
            return
        self._jobs[cell.key] = job
        ended = asyncio.Event()
        job.observe(lambda _snapshot: self._changed({cell.key}))
        job.call_at_end(lambda _job: loop.call_soon_threadsafe(ended.set))
        self._changed({cell.key})
        if self.stopped == "cancelled":
            job.request_cancel()
        await ended.wait()
        self._jobs.pop(cell.key, None)
        self._changed({cell.key})
        if job.state == "FAILED" and job.snapshot.error_type is not None and "locked" in (job.snapshot.error or ""):
            self.stop("lock")

    def _give_back(self, cell: Cell, error: str, why: Stopped) -> None:
        _log.info("the sweep stops: %s", error)
        self.failures[cell.key] = error
        self._changed({cell.key})
        self.stop(why)


def _share_out(session: Session) -> None:
    """Begin cells of a session's sweeps as long as there is room; on the loop.

    Together they have no more under way than the widest of their windows, less where fal refuses.
    """
    runners = _running.get(session, [])
    wire = session.open_wire
    pressure = 0.0 if wire is None else wire.gate.pressure
    widest = max((runner.window for runner in runners), default=0)
    room = max(1, int(widest * (1 - pressure))) - sum(runner.under_way for runner in runners)
    while room > 0 and (ready := [runner for runner in runners if runner.wants]):
        min(ready, key=lambda runner: runner.turn).begin_next(next(_turns))
        room -= 1


def terms_of(budget: float | None, *, allow_unpriced: bool) -> Terms:
    """Return what a cell's call is held to."""
    return Terms(allow_unpriced=allow_unpriced, sweep_budget=budget)
