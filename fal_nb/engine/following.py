"""``Following``: the part of a session that follows jobs: its own, and those of kernels that are gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.contract import Streaming
from fal_nb.engine.follower import Follower
from fal_nb.engine.intent import Intent, Place
from fal_nb.engine.job import Job
from fal_nb.engine.keeper import LeaseKeeper
from fal_nb.engine.missing import fetch_missing
from fal_nb.engine.remembered import Remembered
from fal_nb.engine.resume import Resumed, check_backend, is_at, plan_for
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.engine.stalls import Stalls, look_on
from fal_nb.engine.watcher import Watcher
from fal_nb.errors import FalError, JobError

if TYPE_CHECKING:
    from fal_nb.engine.live import LiveFollower
    from fal_nb.ledger.records import Record
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.results import Result

__all__ = ["Following"]

_CLOSE_S = 5.0
_TAKE_OVER_S = 1.0
_ON_THE_WAY = ("PREPARED", "SUBMITTING")

Watch: TypeAlias = Callable[[Sequence[Job]], AbstractContextManager[Callable[[], object] | None]]
"""Shows how jobs come on while the caller waits for them; what it gives is called about ten times a second."""

_log = logging.getLogger("fal_nb")


class Following(Remembered):
    """Jobs by the numbers of their records; each is followed by one session at a time. May be used from any thread."""

    def __init__(
        self,
        *,
        show: Callable[[Job], object] | None = None,
        show_result: Callable[[Result], None] | None = None,
        place: Callable[[], Place] | None = None,
        **grounds: Any,
    ) -> None:
        super().__init__(**grounds)
        self.show = show or (lambda job: print(repr(job)))  # noqa: T201 - the plain fallback
        self.show_result = show_result
        self.place = place or (lambda: (None, None))
        self.result_html: Callable[[Result], str | None] | None = None
        self.watch: Watch = lambda _jobs: contextlib.nullcontext()
        self.show_sweep: Callable[[Any], None] = lambda sweep: print(repr(sweep))  # noqa: T201 - as above
        self._tasks: set[asyncio.Task[Any]] = set()
        self._followers: dict[int, Follower | LiveFollower] = {}
        self._keeper: LeaseKeeper | None = None
        self.stalls = Stalls(self._past_totals)
        self._stall_task: asyncio.Task[Any] | None = None

    def resume(self) -> Resumed:
        """Carry on with everything in the history that is open and that no living kernel follows; blocks shortly.

        Requests that were accepted are followed, results that were had get their files, calls that never left are
        sent, and those that may have left become ``UNKNOWN``. What living kernels follow is watched.
        """
        settings = self.settings
        records = [record for record in self.history.open_records() if not self._is_ours(record)]
        here = [record for record in records if is_at(record, settings)]
        self.keeper.sign()
        # What is watched is taken over by its watcher: two that do would both send what never left.
        new = [record.id for record in here if record.id not in self._looked_at]
        claimed = self.history.leases.claim(new, self.owner, time.time())
        jobs: dict[int, Job] = {}
        for record in here:
            with self._lock:
                known = self._jobs.get(record.id)
                is_new = record.id in claimed and (known is None or known.done)
                jobs[record.id] = self._carry_on(record) if is_new else self._job_of(record)
        unknown = self.history.select(state="UNKNOWN", where={"backend": settings.backend})
        return Resumed.of(here, claimed, jobs, elsewhere=len(records) - len(here), unknown=len(unknown))

    def open_jobs(self) -> tuple[list[Job], int]:
        """Return the open jobs of all living kernels, oldest first, and how many others nobody follows.

        Those of other kernels are watched, so that they can be shown, waited for and cancelled from here.
        """
        settings = self.settings
        records = [record for record in self.history.open_records() if is_at(record, settings)]
        records = [record for record in records if record.id in self._jobs or not self._is_ours(record)]
        free = self.history.leases.free([record.id for record in records], time.time()) - self._followers.keys()
        with self._lock:
            jobs = [self._job_of(record) for record in records if record.id not in free]
        return [job for job in jobs if not job.done], len(free)

    def follows(self, record_id: int) -> bool:
        """Return whether this session follows a record's job just now; any thread."""
        return record_id in self._followers

    def look_for_deliveries(self) -> None:
        """Have the jobs of this session look at once whether a webhook told their end; any thread, returns at once."""
        self.runtime.post(lambda: self.track(self._take_deliveries(list(self._followers)), lambda _task: None))

    def watching(self, jobs: Sequence[Job]) -> AbstractContextManager[Callable[[], object] | None]:
        """Show how jobs come on while the caller waits for them, where that is shown at all."""
        return self.watch(jobs)

    def keep_waiting(self, record_id: int) -> None:
        """Say for a while no more that a job has stalled; returns at once."""
        self.runtime.post(self._keep_waiting, record_id)

    def take_up(self, record_id: int) -> Job:
        """Return the job of a record that has changed from outside, this session's now, and go on with it."""
        self.keeper.sign()
        with self._lock:
            snapshot = self._snapshot_of(record_id)
            job = self._jobs.get(record_id)
            if job is None:
                return self._start(snapshot, None) if not snapshot.is_final else self._adopt(snapshot)
            job.reopen()
            self._jobs[record_id] = job
            self.runtime.post(self._go_on, job, snapshot)
            return job

    def job(self, word: str | int | None = None) -> Job:
        """Return a job by record number, request id (or 8 of its first characters), or the last one.

        A job of an earlier kernel comes back as its record tells; where it was still open it is followed again.

        Raises
        ------
        JobError
            Where there is none.
        """
        if word is None:
            if self._last is None:
                raise JobError("No job was started in this kernel yet: name one by number or request id.")
            return self._last
        text = str(word).lstrip("#")
        with self._lock:
            for job in self._jobs.values():
                if text in {str(job.record_id), job.snapshot.request_id}:
                    return job
            record = self.history.find(text)
            if record is None:
                raise JobError(f"There is no job {text[:60]!r} in the history: `%fal history` lists them.")
            return self._job_of(record)

    def close(self) -> None:
        """Stop following, close client, history and loop. Requests at fal go on.

        A request that is being sent is given 5 s to learn its id, so that it can be followed again.
        """
        if self._jobs or self._wire is not None:
            with contextlib.suppress(FalError, TimeoutError):
                self.runtime.call(self._wind_down(), _CLOSE_S + 5.0)
        self.runtime.close()
        if self._recorder is not None:
            self._recorder.close()

    @abstractmethod
    def replay(self, job: str | int | Job | None = None, *, yes: bool = False) -> Job:
        """Make an earlier call once more."""

    def record_at(self, intent: Intent, place: Place) -> JobSnapshot:
        """Write down a call made from a place; blocks, and raises as a call does."""
        self.keeper.sign()
        return self.money.record(intent, place)

    async def follow_live(self, snapshot: JobSnapshot, follower: LiveFollower) -> Job:
        """Follow a realtime session that is about to connect, and return its job; on the loop."""
        job = self._adopt(snapshot, ended=False)
        job.follow(follower)
        self._followers[job.record_id] = follower
        self.keeper.start()
        await follower.begin(job.taker())
        self.money.follow(follower, "")
        self.track(follower.run(), lambda _task: self._live_ended(job))
        return job

    async def unit_price_of(self, endpoint: str) -> UnitPrice | None:
        """Return what a unit costs, None where the price list does not have it; on the loop."""
        return await (await self._get_wire()).prices.unit_price(endpoint)

    # -- inside ------------------------------------------------------------------------------------------

    def _live_ended(self, job: Job) -> None:
        self._followers.pop(job.record_id, None)
        job.finish()

    async def _wind_down(self) -> None:
        deadline = time.monotonic() + _CLOSE_S
        while any(job.state in _ON_THE_WAY for job in self.jobs()) and time.monotonic() < deadline:  # noqa: ASYNC110 - states change elsewhere
            await asyncio.sleep(0.02)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        await self.money.aclose()
        if self._wire is not None:
            await self._wire.aclose()

    @property
    def keeper(self) -> LeaseKeeper:
        """What tells other kernels that this one lives."""
        if self._keeper is not None:  # as `recorder`
            return self._keeper
        with self._lock:
            if self._keeper is None:
                from fal_nb.ledger.leases import RENEW_S  # noqa: PLC0415 - with the history, at first use

                self._keeper = LeaseKeeper(
                    self.recorder,
                    lambda: list(self._followers),
                    self._lose,
                    period_s=RENEW_S,
                    look=self._take_deliveries,
                )
            return self._keeper

    def _record(self, intent: Intent) -> JobSnapshot:
        return self.record_at(intent, self.place())

    def _job_of(self, record: Record) -> Job:
        """Return a job that a record tells of: ended, followed again, or watched where another kernel has it."""
        if (known := self._jobs.get(record.id)) is not None:
            return known
        if not record.is_open:
            return self._adopt(self._snapshot_of(record.id))
        if self._is_ours(record):
            raise JobError(
                f"Job #{record.id} is just being started in this kernel, or was given up before it was sent."
            )
        check_backend(record, self.settings)
        self.keeper.sign()
        if self.history.leases.claim([record.id], self.owner, time.time()):
            return self._carry_on(self.history.get(record.id))
        job = self._adopt(self._snapshot_of(record.id), ended=False)
        self._looked_at.add(record.id)
        self.runtime.post(self._look_on, job)
        return job

    def _is_ours(self, record: Record) -> bool:
        """Return whether this session follows a record's job, is about to, or gave it up before it was sent.

        A record is on disk a moment before its job is known here, and a job is known before it is followed.
        """
        job = self._jobs.get(record.id)
        if job is not None and not job.done:
            return record.id not in self._looked_at
        return record.state == "PREPARED" and record.session == self.owner

    def _snapshot_of(self, record_id: int) -> JobSnapshot:
        return JobSnapshot.of_record(self.history.get(record_id), self.history.artifacts(record_id))

    def _carry_on(self, record: Record) -> Job:
        """Go on with a job whose kernel is gone and that is this session's now."""
        plan = plan_for(record)
        if plan.changes:
            self.history.update_many([(record.id, plan.changes)], held_by=self.owner)
        if plan.note:
            self.history.tell(record.id, plan.note)
        snapshot = self._snapshot_of(record.id)
        if snapshot.is_final:
            return self._adopt(snapshot)
        return self._start(snapshot, record.arguments, plan.options)

    def _start(
        self,
        snapshot: JobSnapshot,
        arguments: Any,
        options: CallOptions = DEFAULTS,
        timeout_s: float | None = None,
        streaming: Streaming | None = None,
    ) -> Job:
        job = self._adopt(snapshot, ended=False)
        self.runtime.post(self._follow, job, arguments, options, timeout_s, streaming)
        return job

    def _adopt(self, snapshot: JobSnapshot, *, ended: bool = True) -> Job:
        job = Job(self.runtime, snapshot, self._make_result, self._show_job, self)
        self._jobs[snapshot.record_id] = job
        if not ended:
            self._last = job
        else:
            job.finish()
            self.runtime.post(fetch_missing, job, self._get_wire, self.recorder.owed)
        return job

    def _follow(
        self,
        job: Job,
        arguments: Any,
        options: CallOptions,
        timeout_s: float | None,
        streaming: Streaming | None,
    ) -> None:
        follower = Follower(job.snapshot, options, timeout_s, self._get_wire, self.recorder, job.taker(), streaming)
        job.follow(follower)
        self.money.follow(follower, options.path)
        self._followers[job.record_id] = follower
        self._look_for_stalls()
        self.keeper.start()
        self.track(follower.run(arguments), lambda _task: self._followed(job, follower))

    def _followed(self, job: Job, follower: Follower) -> None:
        self._followers.pop(job.record_id, None)
        if follower.is_lost:
            self._looked_at.add(job.record_id)
            self._look_on(job)
        else:
            job.finish()
            fetch_missing(job, self._get_wire, self.recorder.owed)

    def _go_on(self, job: Job, snapshot: JobSnapshot) -> None:
        job.take(snapshot)
        if snapshot.is_final:
            job.finish()
        else:
            self._follow(job, None, DEFAULTS, None, None)

    def _look_on(self, job: Job) -> None:
        # Before the task begins: a cancel may come at once.
        watcher = Watcher(job.snapshot, self._get_wire, self.recorder, job.taker())
        job.follow(watcher)
        self._look_for_stalls()
        self.track(self._watching(job, watcher), lambda _task: self._looked(job))

    async def _watching(self, job: Job, watcher: Watcher) -> None:
        while not await watcher.run():
            try:
                await self._take_over(job)
            except FalError as error:  # the history cannot be had just now, or a third kernel was faster
                _log.warning("job #%s could not be taken over: %s", job.record_id, error)
                await asyncio.sleep(_TAKE_OVER_S)
                continue
            if watcher.is_cancel_wanted:
                job.request_cancel()
            return

    async def _take_over(self, job: Job) -> None:
        """Go on with a job whose kernel is gone and that this session's watcher has claimed."""
        record = await self.recorder.get(job.record_id)
        plan = plan_for(record)
        if plan.changes:
            await self.recorder.update(record.id, **plan.changes)
        job.take(JobSnapshot.of_record(await self.recorder.get(record.id)))
        if not job.snapshot.is_final:
            self._follow(job, record.arguments, plan.options, None, None)

    def _looked(self, job: Job) -> None:
        self._looked_at.discard(job.record_id)
        if job.record_id not in self._followers:
            job.finish()

    async def _past_totals(self, endpoint: str, backend: str) -> list[float]:
        return await self.recorder.past_totals(endpoint, backend)

    def _look_for_stalls(self) -> None:
        if self._stall_task is None or self._stall_task.done():
            self._stall_task = self.track(look_on(self.stalls, self._jobs.values), lambda _task: None)

    def _keep_waiting(self, record_id: int) -> None:
        self.stalls.keep_waiting(record_id, time.time())
        job = self._jobs.get(record_id)
        if job is not None and job.snapshot.stalled is not None:
            job.take(replace(job.snapshot, stalled=None))

    async def _take_deliveries(self, record_ids: list[int]) -> None:
        """Hand to its follower what a webhook delivered meanwhile: fal may be out of reach, or its result expired."""
        for record_id, delivery in (await self.recorder.delivered(record_ids)).items():
            follower = self._followers.get(record_id)
            if follower is not None:
                follower.deliver(delivery)

    def _lose(self, record_id: int) -> None:
        follower = self._followers.get(record_id)
        if follower is not None:
            follower.lose()

    def track(
        self, coroutine: Coroutine[Any, Any, Any], done: Callable[[asyncio.Task[Any]], None]
    ) -> asyncio.Task[Any]:
        """Run a coroutine as a part of this session, which ends it at its own end; on the loop's thread."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(done)
        return task

    def _show_job(self, job: Job) -> None:
        self.show(job)

    def _make_result(self, snapshot: JobSnapshot) -> Result:
        from fal_nb.results import Result  # noqa: PLC0415

        return Result(
            snapshot.result,
            snapshot=snapshot,
            store=self.artifacts,
            show=self.show_result,
            display_html=self.result_html,
        )
