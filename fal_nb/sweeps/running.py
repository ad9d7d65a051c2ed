"""``Running``: the part of a sweep that is about its calls: begun, carried on, paused, ended, and who is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from fal_nb.engine.resume import is_at
from fal_nb.errors import FalClientTimeoutError, JobError
from fal_nb.sweeps.lost import look_for_lost
from fal_nb.sweeps.runner import Runner, terms_of

if TYPE_CHECKING:
    from fal_nb.engine.job import Job
    from fal_nb.engine.session import Session
    from fal_nb.ledger.sweeps import CellRecord, SweepRow
    from fal_nb.sweeps.cell_view import CellView
    from fal_nb.sweeps.cells import Cell
    from fal_nb.sweeps.plan import SweepPlan

__all__ = ["Running"]

Observer = Callable[[set[str]], None]


class Running:
    """Mixed into `Sweep`, which says what it is; may be used from any thread.

    Its invariant: afterwards as before, what was sent or may have been sent is not sent again.
    """

    plan: SweepPlan
    _session: Session
    _row: SweepRow
    _by_key: dict[str, Cell]
    _records: dict[str, CellRecord]
    _lock: threading.RLock

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._from_memo: set[str] = set()
        self._failures: dict[str, str] = {}
        self._observers: list[Observer] = []
        self._runner: Runner | None = None
        self._ended = threading.Event()
        self._ended.set()
        self._is_at_rest = True

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[CellView]:
            """Yield every cell as it is now."""

        @property
        def name(self) -> str:
            """Its name."""

        def _write(self, **changes: Any) -> None:
            """Change what the history keeps of it."""

    @property
    def is_running(self) -> bool:
        """Whether cells are being called, or would be but for a pause."""
        return not self._ended.is_set()

    @property
    def is_at_rest(self) -> bool:
        """Whether no cell will be called by itself any more; true a moment before `wait` returns."""
        return self._is_at_rest

    @property
    def has_begun(self) -> bool:
        """Whether any cell was called, or is about to be."""
        return self.is_running or bool(self._runner or self._jobs or self._records)

    @property
    def is_paused(self) -> bool:
        """Whether no further cell is begun for the moment."""
        return self.is_running and self._runner is not None and self._runner.is_paused

    def run(self) -> Self:
        """Call every cell that has not been called, in the background, and return the sweep itself.

        Cells that were being called when a kernel ended are carried on; one that may have been sent is never sent
        again. What failed stays failed: `retry` calls it again. Cells a budget or a lock kept back are called.

        Raises
        ------
        JobError
            Where another kernel runs it, or it was made for another server.
        """
        with self._lock:
            if self.is_running:
                return self
            with self._claimed():
                self._settle_open()
                self._write(stopped=None)
                self._failures.clear()
                self._runner = None
                self._start([cell for key, cell in self._by_key.items() if self._is_to_call(key)])
        return self

    def retry(self) -> Self:
        """Call again the cells that failed, and no others; in the background.

        Raises
        ------
        JobError
            Where it is running, here or in another kernel.
        """
        with self._lock:
            if self.is_running:
                raise JobError(f"The sweep {self.name} is running: wait for it, then retry what failed.")
            failed = [view.cell for view in self if view.state in {"FAILED", "CANCELLED"}]
            if not failed:
                return self
            with self._claimed():
                for cell in failed:
                    self._jobs.pop(cell.key, None)
                    self._failures.pop(cell.key, None)
                self._write(stopped=None)
                self._start(failed)
        return self

    def pause(self) -> None:
        """Begin no further cell; those under way go on."""
        self._post("pause")

    def go_on(self) -> None:
        """Begin cells again after a pause."""
        self._post("go_on")

    def cancel(self) -> None:
        """Begin no further cell and ask fal to stop those under way."""
        self._post("stop", "cancelled")

    def cancel_cell(self, key: str) -> None:
        """Ask fal to stop one cell, or do not begin it."""
        self._post("cancel_cell", key)

    def wait(self, timeout: float | None = None) -> Self:
        """Block until no cell is being called any more; interrupting it leaves the sweep running.

        Raises
        ------
        FalClientTimeoutError
            After `timeout` seconds; the sweep goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended.wait(0.1):
            if deadline is not None and time.monotonic() >= deadline:
                raise FalClientTimeoutError(timeout or 0.0, None)
        return self

    def observe(self, observer: Observer) -> None:
        """Call `observer` with the keys of cells that have changed, on the loop's thread."""
        self._observers.append(observer)

    def unobserve(self, observer: Observer) -> None:
        """Stop calling `observer`; unknown ones are ignored."""
        if observer in self._observers:
            self._observers.remove(observer)

    def tell(self, keys: set[str]) -> None:
        """Tell whoever observes the sweep that cells have changed; on the loop's thread."""
        for observer in tuple(self._observers):
            observer(keys)

    # -- inside ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[None]:
        """Keep other kernels from running it; where it cannot be begun here after all, they may again."""
        session = self._session
        session.keeper.sign()
        if not session.history.sweeps.claim(self.name, session.owner, time.time()):
            raise JobError(f"Another kernel runs the sweep {self.name}: pause or end it there first.")
        try:
            yield
        except BaseException:
            session.history.sweeps.release(self.name, session.owner)
            raise

    def _settle_open(self) -> None:
        """Carry on what earlier runs left open, as far as this kernel may; afterwards each cell's record is known."""
        history = self._session.history
        self._records = history.sweeps.cells(self.name)
        for key, known in self._records.items():
            # Sent again by a person, or carried on elsewhere: the cell has another record by now.
            if (job := self._jobs.get(key)) is not None and job.done and job.record_id != known.record_id:
                self._jobs.pop(key)
        lost = False
        for key, known in self._records.items():
            if key in self._by_key and known.state in {"PREPARED", "SUBMITTING", "QUEUED", "RUNNING"}:
                record = history.get(known.record_id)
                if not is_at(record, self._session.settings):
                    raise JobError(
                        f"Cells of {self.name} are open at {record.base_url or 'fal.ai'}, and calls go elsewhere now "
                        "(`%fal config`)."
                    )
                self._jobs[key] = self._session.job(known.record_id)
                lost = lost or self._jobs[key].state == "UNKNOWN"
        if lost or any(known.state == "UNKNOWN" for known in self._records.values()):
            self._session.reconcile()
            self._records = history.sweeps.cells(self.name)

    def _is_to_call(self, key: str) -> bool:
        """Return whether a cell was neither called nor refused: what may have been sent is not sent again."""
        job = self._jobs.get(key)
        if job is not None and not job.done:
            return True  # it is followed already, and takes its place in the window
        known = self._records.get(key)
        state = job.state if job is not None else known.state if known is not None else None
        if state is None or state == "SKIPPED":
            return True
        was_sent = known.was_sent if known is not None else job is not None and job.request_id is not None
        return state == "CANCELLED" and not was_sent

    def _start(self, cells: Sequence[Cell]) -> None:
        self._ended.clear()
        self._is_at_rest = False
        try:
            self._session.runtime.post(self._begin_run, list(cells))
        except BaseException:  # nobody would end what was never begun, and whoever waits would wait for ever
            self._is_at_rest = True
            self._ended.set()
            raise

    def _post(self, command: str, *values: str) -> None:
        """Hand a command to the run there is when the loop comes to it: one that was just begun is not there yet."""

        def obey() -> None:
            if self._runner is not None and self.is_running:
                getattr(self._runner, command)(*values)

        if self.is_running:
            self._session.runtime.post(obey)

    def _begin_run(self, cells: list[Cell]) -> None:
        self._runner = Runner(self._session, cells, self._row.window, self._call, self.tell)
        self._session.track(self._run_all(self._runner), lambda _task: self._end_run())
        self.tell(set(self._by_key))  # what a budget kept back so far waits again

    async def _run_all(self, runner: Runner) -> None:
        await runner.run()
        if runner.stopped != "cancelled":
            await look_for_lost(self._session, self.name, self.plan.endpoints)
            self._records = await asyncio.to_thread(self._session.history.sweeps.cells, self.name)

    def _end_run(self) -> None:
        self._is_at_rest = True
        runner = self._runner
        if runner is not None:
            self._failures |= runner.failures
            if runner.stopped is not None:
                self._row = replace(self._row, stopped=runner.stopped)
        # Whoever waits finds it shown and written down; where it cannot be, its records tell the same at the next look.
        try:
            self.tell(set(self._by_key))
        finally:
            self._session.recorder.submit(self._write_end).add_done_callback(lambda _written: self._ended.set())

    def _write_end(self) -> None:
        sweeps = self._session.history.sweeps
        sweeps.change(self._row)
        sweeps.release(self.name, self._session.owner)

    def _call(self, cell: Cell) -> Job:
        """Start a cell's call, or return the job that is its call already; blocks."""
        open_job = self._jobs.get(cell.key)
        if open_job is not None and not open_job.done:
            return open_job
        job = self._session.submit(
            cell.endpoint,
            cell.arguments,
            memo="reuse",
            more={"sweep": self.name, "sweep_cell": cell.key},
            terms=terms_of(self._row.budget, allow_unpriced=self._row.allow_unpriced),
        )
        equal = job.snapshot.equal
        if equal is not None and equal.is_answer:
            self._from_memo.add(cell.key)
            self._session.history.sweeps.answer(self.name, cell.key, job.record_id)
        self._jobs[cell.key] = job
        return job
