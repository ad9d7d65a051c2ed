"""``Job``: one call as its caller holds it. Blocking and awaitable; thread-safe; shows itself in a cell."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb import kernel_loop
from fal_nb.client.blocking import BlockingHandle
from fal_nb.engine.annotated import Annotated, Desk
from fal_nb.engine.patience import GOES_ON, PATIENCE_S
from fal_nb.errors import (
    FalClientTimeoutError,
    FalError,
    JobError,
    RequestCancelledError,
    SubmissionUnknown,
    TransferError,
)
from fal_nb.protocol.status import Completed, InProgress, Queued

if TYPE_CHECKING:
    from fal_nb.engine.follower import Follower
    from fal_nb.engine.live import LiveFollower
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.engine.watcher import Watcher
    from fal_nb.results import Result
    from fal_nb.runtime import Runtime
    from fal_nb.states import State

__all__ = ["Job", "Observer"]

Observer = Callable[["JobSnapshot"], None]
"""Called with each new snapshot, on the loop's thread; must return at once."""

_CANCEL_WAIT_S = 5.0
_HEARTBEAT_S = 0.1
_ACCEPTED_S = 0.005
_log = logging.getLogger("fal_nb")


class Job(BlockingHandle, Annotated):
    """Follows one request; goes on while other cells run and after they have ended.

    Its properties may be read from any thread at any time. `get`, `wait`, `status` and `cancel` block and can be
    interrupted; ``await job`` gives the result, too. It is an instance of ``SyncRequestHandle``.
    """

    def __init__(
        self,
        runtime: Runtime,
        snapshot: JobSnapshot,
        make_result: Callable[[JobSnapshot], Result],
        show: Callable[[Job], None],
        desk: Desk | None = None,
    ) -> None:
        super().__init__(desk)
        self._runtime = runtime
        self._snapshot = snapshot
        self._make_result = make_result
        self._show = show
        self._observers: list[Observer] = []
        self._ended: concurrent.futures.Future[JobSnapshot] = concurrent.futures.Future()
        self._follower: Follower | LiveFollower | Watcher | None = None
        self._round = 0
        self._result: Result | None = None

    @property
    def snapshot(self) -> JobSnapshot:
        """The newest snapshot."""
        return self._snapshot

    @property
    def record_id(self) -> int:
        """Number of its record in the history."""
        return self._snapshot.record_id

    @property
    def endpoint(self) -> str:
        """The endpoint that was called."""
        return self._snapshot.endpoint

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments as sent (before sending: with local files by name)."""
        return self._snapshot.arguments

    @property
    def request_id(self) -> str | None:
        """fal's id of the request: waits until fal has accepted it, as the official client's handle has it from birth.

        None where the call ended without one, and on the loop's own thread, which cannot wait, until it is there.
        `snapshot.request_id` never waits.
        """
        while self._snapshot.request_id is None and not self.done and not self._runtime.is_loop_thread:
            time.sleep(_ACCEPTED_S)
        return self._snapshot.request_id

    @property
    def state(self) -> State:
        """Where the job is: ``PREPARED`` … ``SUCCEEDED``, ``FAILED``, ``CANCELLED`` or ``UNKNOWN``."""
        return self._snapshot.state

    @property
    def logs(self) -> list[str]:
        """Every log line so far, oldest first."""
        follower = self._follower
        if follower is None:
            return list(self._snapshot.logs)
        return [str(entry["message"]) for entry in list(follower.log_entries)]

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._ended.done()

    def status(self, *, with_logs: bool = False) -> Queued | InProgress | Completed:
        """Return what the wire last said, without asking again; waits until the wire has accepted it.

        Raises
        ------
        JobError
            Where it was never accepted, so that the wire has no status for it.
        """
        _ = self.request_id
        snapshot = self._snapshot
        logs = [dict(entry) for entry in self._follower.log_entries] if with_logs and self._follower else None
        if snapshot.state == "QUEUED":
            return Queued(snapshot.queue_position or 0)
        if snapshot.state == "RUNNING":
            return InProgress(logs)
        if snapshot.request_id is None:
            raise JobError(f"Job #{snapshot.record_id} is {snapshot.state.lower()}: fal has no status for it.")
        metrics = {} if snapshot.inference_s is None else {"inference_time": snapshot.inference_s}
        return Completed(logs, metrics, snapshot.error, snapshot.error_type)

    def wait(self, timeout: float | None = None) -> Job:
        """Block until it has ended, well or not, and return the job itself. Interrupting this cancels nothing.

        Raises
        ------
        FalClientTimeoutError
            After `timeout` seconds; the job goes on.
        """
        self._wait_for(self._ended, timeout)
        return self

    def get(
        self,
        timeout: float | None = None,
        *,
        interval: float = 0.1,  # noqa: ARG002 - the official client's argument
        patient: bool = True,
    ) -> Result:
        """Block until it has ended and return the result. Interrupting this cancels the request at fal.

        Parameters
        ----------
        patient
            Whether to wait for as long as fal cannot be reached, and not for about half a minute of that only.

        Raises
        ------
        FalError
            What went wrong; `RequestCancelledError` where it was cancelled, `SubmissionUnknown` where its answer
            was lost, `FalClientTimeoutError` after `timeout` seconds, `TransferError` where the patience is over
            (with these two the job goes on).
        """
        try:
            if patient:
                self._wait_for(self._ended, timeout)
            else:
                with self._ended_or_unreached() as found:
                    self._wait_for(found, timeout)
            if not self.done:
                trouble = (self._snapshot.next_step or "fal cannot be reached.").removesuffix(GOES_ON).rstrip()
                raise TransferError(
                    f"{trouble} Job #{self.record_id} goes on at fal and is asked about again: "
                    f"`%fal result #{self.record_id}` waits for it once more.",
                    request_id=self._snapshot.request_id,
                    endpoint=self.endpoint,
                )
        except KeyboardInterrupt:
            self.cancel_after_interrupt()
            raise
        return self.result()

    def result(self) -> Result:
        """Return the result of a job that has succeeded, without waiting.

        Raises
        ------
        FalError
            What went wrong; `JobError` where it has not ended yet.
        """
        if not self._ended.done():
            raise JobError(
                f"Job #{self.record_id} is {self.state.lower()}, it has no result yet: job.get() waits for it."
            )
        if self._snapshot.state != "SUCCEEDED":
            raise self._trouble()
        if self._result is None:
            self._result = self._make_result(self._snapshot)
        return self._result

    def cancel(self) -> str | None:
        """Ask fal to stop the request; blocks until it answered, at most 5 s.

        Returns
        -------
        str or None
            ``OK``, ``CANCELLATION_REQUESTED`` (it may still finish), ``ALREADY_COMPLETED`` or ``NOT_FOUND``;
            None where nothing was sent, because the job had ended or had not left yet.
        """
        if not self.done:
            with contextlib.suppress(TimeoutError):
                self._runtime.call(self._cancel_and_wait(), _CANCEL_WAIT_S)
        return self._snapshot.cancel

    def request_cancel(self) -> None:
        """Ask fal to stop the request and return at once; any thread, the loop's own included."""
        if not self.done:
            self._runtime.post(self._ask_cancel)

    def keep_waiting(self) -> None:
        """Say no more that it has stalled until twice as long has passed once more; any thread, returns at once."""
        if self._desk is not None and not self.done:
            self._desk.keep_waiting(self.record_id)

    def cancel_after_interrupt(self) -> None:
        """Cancel after an interrupt and wait for fal's answer; a second interrupt leaves at once."""
        with contextlib.suppress(KeyboardInterrupt):
            self.cancel()

    def iter_events(
        self,
        *,
        with_logs: bool = False,
        interval: float = 0.1,  # noqa: ARG002 - the official client's argument
    ) -> Iterator[Queued | InProgress | Completed]:
        """Yield each new status until the request has ended; logs, where asked for, are all so far. Blocks between.

        Source: fal-client 1.0.3 ``SyncRequestHandle.iter_events``.
        """
        told: tuple[type, int | None, int] | None = None
        for snapshot in self.iter_snapshots():
            if snapshot.request_id is None:
                continue
            status = self.status(with_logs=with_logs)
            shape = (type(status), snapshot.queue_position, snapshot.log_count if with_logs else 0)
            if shape != told:
                told = shape
                yield status
            if isinstance(status, Completed):
                return

    def iter_snapshots(self) -> Iterator[JobSnapshot]:
        """Yield snapshots as they come, the present one first, until the job has ended; blocks between them."""
        import queue  # noqa: PLC0415 - light, but rarely needed

        box: queue.SimpleQueue[JobSnapshot] = queue.SimpleQueue()
        self.observe(box.put)
        try:
            snapshot = self._snapshot
            yield snapshot
            while not snapshot.is_final:
                kernel_loop.turn_until(lambda: self.done or not box.empty())
                try:
                    snapshot = box.get(timeout=_HEARTBEAT_S)
                except queue.Empty:
                    if self.done:
                        return
                    continue
                yield snapshot
        finally:
            self.unobserve(box.put)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with each new snapshot, on the loop's thread."""
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: Observer) -> None:
        """Stop calling `observer`; unknown ones are ignored."""
        with contextlib.suppress(ValueError):
            self._observers.remove(observer)

    def __await__(self) -> Generator[Any, None, Result]:
        """Wait without blocking, on any event loop; cancelling the task that waits cancels the request."""
        return self._wait_async().__await__()

    async def _wait_async(self) -> Result:
        ended = asyncio.wrap_future(self._ended)
        try:
            while not ended.done():
                # A heartbeat: ipykernel notices the Stop button only when the loop next wakes.
                await asyncio.wait({ended}, timeout=_HEARTBEAT_S)
        except asyncio.CancelledError:
            self.request_cancel()
            raise
        return self.result()

    def follow(self, follower: Follower | LiveFollower | Watcher) -> None:
        """Attach the coroutine side; called by the session, on the loop's thread, again where the job changes hands."""
        self._follower = follower

    def reopen(self) -> None:
        """Be open again: a lost call whose request was found. Called by the session before it follows the request."""
        self._round += 1
        self._follower = None
        self._result = None
        self._ended = concurrent.futures.Future()

    def taker(self) -> Callable[[JobSnapshot], None]:
        """Return what a follower tells its snapshots to: `take`, but nothing any more once the job was opened again.

        The price of a lost call may come in late, and with it the snapshot that says that the call is lost.
        """
        current = self._round

        def take(snapshot: JobSnapshot) -> None:
            if self._round == current:
                self.take(snapshot)

        return take

    def take(self, snapshot: JobSnapshot) -> None:
        """Take in a new snapshot; called by the follower, on the loop's thread."""
        self._snapshot = snapshot
        if self._result is not None:
            self._result.artifacts = snapshot.artifacts
        for observer in tuple(self._observers):
            try:
                observer(snapshot)
            except Exception:  # noqa: BLE001 - logged in full
                # Someone else's function must not end a paid job.
                _log.exception("an observer of job #%s failed and is not called again", self.record_id)
                self.unobserve(observer)

    def amend(self, **changes: Any) -> None:
        """Change the snapshot of a job that has ended, and show it; on the loop's thread."""
        if self._follower is not None:
            self._follower.amend(**changes)
        else:
            self.take(replace(self._snapshot, **changes))

    def call_at_end(self, function: Callable[[Job], object]) -> None:
        """Call `function` with the job once it has ended, at once where it has; on whatever thread ends it."""
        self._ended.add_done_callback(lambda _ended: function(self))

    def finish(self) -> None:
        """Release those who wait; called once when the follower has ended."""
        if not self._ended.done():
            self._ended.set_result(self._snapshot)

    def _wait_for(self, future: concurrent.futures.Future[Any], timeout: float | None) -> None:
        try:
            if future.done() or self._desk is None:
                self._runtime.wait(future, timeout)
            else:
                with self._desk.watching([self]) as tick:
                    self._runtime.wait(future, timeout, tick)
        except TimeoutError:
            raise FalClientTimeoutError(timeout or 0.0, self._snapshot.request_id, endpoint=self.endpoint) from None

    @contextlib.contextmanager
    def _ended_or_unreached(self) -> Iterator[concurrent.futures.Future[None]]:
        """Give what is done once the job has ended, or fal could not be reached for as long as one waits for that."""
        found: concurrent.futures.Future[None] = concurrent.futures.Future()
        asked = time.time()

        def settle() -> None:
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                found.set_result(None)

        def look(snapshot: JobSnapshot) -> None:
            since = snapshot.unreached_since
            if since is not None and time.time() - max(since, asked) >= PATIENCE_S:
                settle()

        self.observe(look)
        self.call_at_end(lambda _job: settle())
        try:
            yield found
        finally:
            self.unobserve(look)

    def _ask_cancel(self) -> None:
        if self._follower is not None:
            self._follower.ask_cancel()

    async def _cancel_and_wait(self) -> None:
        self._ask_cancel()
        if self._follower is not None:
            await self._follower.cancel_answered.wait()

    def _trouble(self) -> BaseException:
        """Return the error that says why there is no result."""
        follower = self._follower
        if follower is not None and follower.error is not None:
            return follower.error
        snapshot = self._snapshot
        text = snapshot.error or f"Job #{snapshot.record_id} is {snapshot.state.lower()}."
        if snapshot.state == "CANCELLED":
            return RequestCancelledError(
                text, error_type=snapshot.error_type, request_id=self._snapshot.request_id, endpoint=self.endpoint
            )
        if snapshot.state == "UNKNOWN":
            return SubmissionUnknown(text, request_id=self._snapshot.request_id, endpoint=self.endpoint)
        return FalError(text, request_id=self._snapshot.request_id, endpoint=self.endpoint)

    def _ipython_display_(self) -> None:
        self._show(self)

    def __repr__(self) -> str:
        request = f" {self._snapshot.request_id}" if self._snapshot.request_id else ""
        return f"<Job #{self.record_id} {self.endpoint}{request} {self.state}>"
