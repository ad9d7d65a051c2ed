"""Follows one call from its record to its result: wire events in, snapshots out, a commit at each step.

Its invariant: what the snapshot says has been written to the ledger first, and the POST is sent at most once.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.client.withdrawal import Withdrawal
from fal_nb.engine.contract import Answer, Streaming, Wire
from fal_nb.engine.delivered import Ending
from fal_nb.engine.inputs import LocalFile, has_local_files, upload_inputs
from fal_nb.engine.intent import write_options
from fal_nb.engine.missing import advice
from fal_nb.engine.money import settlement
from fal_nb.engine.partial import shown
from fal_nb.engine.patience import GOES_ON, Patience
from fal_nb.engine.uploads import note_inputs
from fal_nb.errors import (
    AccountLockedError,
    FalClientHTTPError,
    FalClientTimeoutError,
    FalError,
    JobError,
    LeaseLost,
    NotFoundError,
    RequestCancelledError,
    SubmissionUnknown,
)
from fal_nb.protocol.logs import LogMerger, read_progress
from fal_nb.protocol.status import JSON, Completed, InProgress, Queued

if TYPE_CHECKING:
    from fal_nb.client.options import CallOptions
    from fal_nb.engine.recorder import Recorder
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.ledger.deliveries import KeptDelivery

__all__ = ["Follower"]

_LOG_TAIL = 200
_LOG_LINE_CHARS = 1_000
_LOCKED = (
    "No further call is sent: once that is settled, fal.unlock() lets one try at once; by itself one may in 5 min."
)
_BEHIND = "Not in the history yet, it is written as soon as that is possible."
_log = logging.getLogger("fal_nb")


class Follower:
    """The coroutine side of a job; lives on the loop's thread alone."""

    def __init__(
        self,
        snapshot: JobSnapshot,
        options: CallOptions,
        timeout_s: float | None,
        wire: Callable[[], Awaitable[Wire]],
        recorder: Recorder,
        publish: Callable[[JobSnapshot], None],
        streaming: Streaming | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.error: BaseException | None = None
        self.is_lost = False
        """Whether another session follows the job by now."""
        self.cancel_answered = asyncio.Event()
        self._withdrawal = Withdrawal(self._wait_for_turn)
        self._options = replace(options, withdrawal=self._withdrawal)
        self._timeout_s = timeout_s
        self._get_wire = wire
        self._recorder = recorder
        self._publish = publish
        self._streaming = streaming or Streaming()
        self._merger = LogMerger()
        self._cancel_task: asyncio.Task[None] | None = None
        self._cancel_wanted = False
        self._is_overdue = False
        self._undelivered: str | None = None  # that a cancel was not delivered stays said until one is
        self._patience = Patience(self._tell_trouble)
        self._body: asyncio.Task[None] | None = None
        self._call: asyncio.Task[Answer] | None = None
        self._ending = Ending(self._look_for_delivery, self._was_delivered)

    @property
    def log_entries(self) -> list[dict[str, Any]]:
        """Every log entry so far, oldest first."""
        return self._merger.lines

    async def run(self, arguments: Any) -> None:
        """Follow the call to its end; never raises, except when the session is closed under it.

        Parameters
        ----------
        arguments
            As the caller gave them, local files included; ignored where the request exists already.
        """
        self._body = asyncio.ensure_future(self._steps(arguments))
        try:
            done, _ = await asyncio.wait({self._body}, timeout=self._timeout_s)
            if not done:
                self._give_up()
            await self._body
        except asyncio.CancelledError:
            self._body.cancel()
            if not self.is_lost:
                raise
        except LeaseLost:
            self._leave()
        except Exception as error:  # noqa: BLE001 - a job never takes the loop down; the snapshot says what happened
            try:
                await self._failed(error)
            except LeaseLost:
                self._leave()

    def lose(self) -> None:
        """Stop following: the job lives on with another session, and nothing more is written or sent from here.

        A POST that is under way is let come to its end, without another try: only here its answer can be had.
        """
        if self._may_have_left:
            self._withdrawal.ask()
        else:
            self._leave()

    def deliver(self, delivery: KeptDelivery) -> None:
        """Take what a webhook delivered for the request's end, unless that is known already; on the loop's thread."""
        self._ending.deliver(delivery)

    def _leave(self) -> None:
        self.is_lost = True
        self.cancel_answered.set()
        if self._body is not None:
            self._body.cancel()

    def ask_cancel(self) -> None:
        """Ask fal to stop the request, once; before it was sent nothing is sent at all."""
        if self._cancel_wanted or self.snapshot.is_final:
            return
        self._cancel_wanted = True
        is_at_rest = self._withdrawal.ask()
        if self.snapshot.kind != "queue":
            if self._call is not None and not is_at_rest:
                self._call.cancel()
            return
        self.cancel_answered.clear()
        self._set(cancel="asked")
        if self.snapshot.request_id:
            self._cancel_task = asyncio.ensure_future(self._send_cancel())

    def amend(self, **changes: Any) -> None:
        """Show what has changed after the end: files that were fetched later."""
        self._set(**changes)

    async def take_price(self, columns: Mapping[str, Any]) -> None:
        """Take in what the price list says, written down and shown; where the job has ended its cost, too."""
        names = {"estimate_high": "estimate", "unit_price": "unit_price", "currency": "currency"}
        self._set(**{shown: columns[name] for name, shown in names.items() if name in columns})
        self._set(**settlement(self.snapshot, {}))
        # The ledger works the cost out by itself, where the units are there already.
        await self._recorder.update(self.snapshot.record_id, **columns)

    async def _steps(self, arguments: Any) -> None:
        wire = await self._get_wire()
        if self.snapshot.ended is not None:
            # An earlier kernel wrote the result down and did not come to its files.
            await self._keep_files(wire)
            return
        is_new = self.snapshot.request_id is None
        if is_new:
            body = await self._prepare(wire, arguments)
            await wire.take_turn(self._withdrawal)
            try:
                is_queued = await self._send(wire, body)
            finally:
                self._withdrawal.give_back()
            if not is_queued:
                return
        await self._keep(wire, await self._ending.wait(lambda: self._ask_for_end(wire), is_new=is_new))

    async def _send(self, wire: Wire, body: JSON) -> bool:
        """Send the call and return whether there is a request in the queue to follow."""
        await self._about_to_send()
        if self._cancel_wanted:
            await self._end("CANCELLED", error="Cancelled before it was sent.")
        elif self.snapshot.kind != "queue":
            await self._run_at_once(wire, body)
        else:
            await self._submit(wire, body)
            return True
        return False

    def _wait_for_turn(self, wait_s: float) -> None:
        """Say how long fal keeps new calls waiting."""
        if not self._is_overdue:
            words = f"fal takes no new calls just now (429): the next try comes in {wait_s:.0f} s."
            self._set(next_step=words if wait_s > 0 else None)

    async def _prepare(self, wire: Wire, arguments: Any) -> JSON:
        if not has_local_files(arguments):
            return arguments
        uploaded: dict[str, LocalFile] = {}
        body = await upload_inputs(arguments, wire.upload, uploaded)
        await note_inputs(self._recorder, self.snapshot.record_id, uploaded)
        # From here on it could be sent from its record alone.
        options = write_options(self._options) or None
        await self._recorder.update(self.snapshot.record_id, arguments=body, options=options)
        self._set(arguments=body)
        return body

    async def _about_to_send(self) -> None:
        """Write down that the call is being sent, or send nothing: a record that says less invites a second POST."""
        if self._cancel_wanted:
            return
        changes: dict[str, Any] = {"state": "SUBMITTING"}
        if self.snapshot.kind != "queue":
            now = time.time()
            changes = {"state": "RUNNING", "submitted": now, "started": now}
        await self._recorder.update(self.snapshot.record_id, **changes)
        self._set(**changes)

    async def _submit(self, wire: Wire, body: JSON) -> None:
        request_id = await wire.submit(self.snapshot.endpoint, body, self._options)
        await self._arrived(state="QUEUED", request_id=request_id, submitted=time.time())
        if self._cancel_wanted:
            self._cancel_task = asyncio.ensure_future(self._send_cancel())

    async def _run_at_once(self, wire: Wire, body: JSON) -> None:
        self._call = asyncio.ensure_future(self._answer(wire, body))
        try:
            answer = await self._call
        except asyncio.CancelledError:
            if self._cancel_wanted and self._call.cancelled():
                raise SubmissionUnknown(
                    f"The connection of a {self.snapshot.kind} call was closed; fal cannot cancel it, "
                    "so it may be charged.",
                    endpoint=self.snapshot.endpoint,
                ) from None
            raise
        finally:
            self._call = None
        # Id and result in one commit: with the id alone it would be looked for in the queue, which never had it.
        await self._arrived(**_outcome(answer), request_id=answer.request_id)
        await self._keep_files(wire)

    async def _arrived(self, **changes: Any) -> None:
        """Write down what fal answered to the POST, also where another session gave the call up for lost meanwhile."""
        try:
            await self._step(**changes)
        except LeaseLost:
            request_id = changes.get("request_id")
            if request_id is None or not await self._recorder.found(self.snapshot.record_id, request_id, changes):
                raise
            self._set(**changes)

    async def _answer(self, wire: Wire, body: JSON) -> Answer:
        if self.snapshot.kind == "direct":
            return await wire.direct(self.snapshot.endpoint, body, self._options)
        async with shown(self._streaming, wire, lambda moment: self._set(partial=moment)) as streaming:
            return await wire.stream(self.snapshot.endpoint, body, self._options, streaming)

    async def _watch(self, wire: Wire) -> None:
        """Reduce statuses to snapshots until the request has ended."""
        assert self.snapshot.request_id is not None  # noqa: S101 - set by the step before
        try:
            async for status in wire.statuses(self.snapshot.endpoint, self.snapshot.request_id):
                await self._take_status(status)
                if isinstance(status, Completed):
                    break
        except FalClientHTTPError as error:
            # The result is the authority: what it answers decides, not that its status could not be had.
            _log.info("job #%s: no status (%s), asking for the result", self.snapshot.record_id, error)

    async def _take_status(self, status: Queued | InProgress | Completed) -> None:
        self._patience.come_through()
        changes: dict[str, Any] = {}
        if self.snapshot.next_step != self._undelivered and not self._is_overdue and not self._is_behind:
            changes["next_step"] = self._undelivered
        if isinstance(status, Queued):
            changes["queue_position"] = status.position
            if self.snapshot.state != "QUEUED":
                changes |= {"state": "QUEUED", "started": None, "progress": None, "steps": None}
        else:
            changes |= self._take_logs(status.logs)
            if self.snapshot.state == "QUEUED":
                changes |= await self._starting()
        if isinstance(status, Completed):
            self._patience.is_known_failed = status.error is not None
            inference = status.metrics.get("inference_time")
            if isinstance(inference, (int, float)) and not isinstance(inference, bool):
                changes["inference_s"] = float(inference)
        if changes.keys() & {"state", "inference_s"}:
            await self._step(**changes)
        else:
            self._set(**changes)

    async def _starting(self) -> dict[str, Any]:
        now = time.time()
        try:
            past = await self._recorder.past_durations(self.snapshot.endpoint, self.snapshot.backend)
        except FalError:
            past = []
        return {
            "state": "RUNNING",
            "started": now,
            "queue_position": None,
            "queue_s": now - (self.snapshot.submitted or now),
            "expected_s": statistics.median(past) if past else None,
        }

    def _take_logs(self, logs: list[dict[str, Any]] | None) -> dict[str, Any]:
        new = self._merger.add(logs)
        if not new:
            return {}
        steps = None
        for entry in new:
            steps = read_progress(entry["message"]) or steps
        lines = self._merger.lines
        tail = tuple(str(entry["message"])[:_LOG_LINE_CHARS] for entry in lines[-_LOG_TAIL:])
        changes: dict[str, Any] = {"logs": tail, "log_count": len(lines)}
        if steps:
            changes |= {"steps": steps, "progress": steps[0] / steps[1]}
        return changes

    async def _look_for_delivery(self) -> KeptDelivery | None:
        return (await self._recorder.delivered([self.snapshot.record_id])).get(self.snapshot.record_id)

    async def _was_delivered(self) -> None:
        await self._step(state="RUNNING", queue_position=None, started=self.snapshot.started or time.time())

    async def _ask_for_end(self, wire: Wire) -> Answer:
        await self._patience.repeat(lambda: self._watch(wire), self.snapshot)
        return await self._patience.repeat(lambda: self._ask_result(wire), self.snapshot)

    def _tell_trouble(self, words: str | None) -> None:
        changes: dict[str, Any] = {"unreached_since": self._patience.unreached_since}
        if words is None and self._is_overdue and (self.snapshot.next_step or "").endswith(GOES_ON):
            words = self._limit_words
        if words is not None or not (self._is_behind or self._is_overdue):
            changes["next_step"] = words or self._undelivered
        self._set(**changes)

    async def _ask_result(self, wire: Wire) -> Answer:
        """Return the result, or raise what the request itself came to; trouble on the way is a `TransferError`."""
        assert self.snapshot.request_id is not None  # noqa: S101 - set by the steps before
        try:
            return await wire.result(self.snapshot.endpoint, self.snapshot.request_id)
        except FalClientHTTPError as error:
            meaning = self._patience.judged(error, self.snapshot)
            if meaning is error:
                raise
            raise meaning from error

    async def _keep(self, wire: Wire, answer: Answer) -> None:
        """Write the result down, then fetch its files, then call it a success."""
        await self._step(**_outcome(answer))
        await self._keep_files(wire)

    async def _keep_files(self, wire: Wire) -> None:
        artifacts = await wire.collect(self.snapshot.result)
        ended = self.snapshot.ended
        step = advice(artifacts)
        await self._end("SUCCEEDED", artifacts=artifacts, ended=ended, next_step=step, partial=None)

    async def _send_cancel(self) -> None:
        assert self.snapshot.request_id is not None  # noqa: S101 - both callers looked
        wire = await self._get_wire()
        try:
            said = await wire.cancel(self.snapshot.endpoint, self.snapshot.request_id)
            settled: dict[str, Any] = {"next_step": None} if self._undelivered else {}
            self._undelivered = None
            await self._step(cancel=said, **settled)
        except FalError as error:
            # Not delivered: it may be asked again.
            self._cancel_wanted = False
            self._undelivered = f"The cancel was not delivered: {error}"
            self._set(cancel=None, next_step=self._undelivered)
        finally:
            self.cancel_answered.set()

    def _give_up(self) -> None:
        """Cancel because the caller's own time limit has run out; the wire then says how it ended."""
        self._is_overdue = True
        self._set(next_step=self._limit_words)
        self.ask_cancel()

    @property
    def _limit_words(self) -> str:
        return f"The limit of {self._timeout_s:g} s ran out, so a cancel was sent."

    async def _failed(self, error: Exception) -> None:
        self.error = error
        if isinstance(error, SubmissionUnknown):
            await self._end("UNKNOWN", error=str(error), request_id=error.request_id or self.snapshot.request_id)
        elif isinstance(error, RequestCancelledError):
            if self._is_overdue:
                self.error = FalClientTimeoutError(
                    self._timeout_s or 0.0, self.snapshot.request_id, endpoint=self.snapshot.endpoint
                )
            units = error.billable_units
            await self._end("CANCELLED", error=str(self.error), error_type=error.error_type, billable_units=units)
        elif isinstance(error, AccountLockedError):
            await self._end("FAILED", error=str(error), error_type=error.error_type, next_step=_LOCKED)
        elif isinstance(error, NotFoundError) and error.detail == "NOT_FOUND":
            # The queue's own word, as against a 404 that the endpoint answered with.
            text = f"fal no longer has request {self.snapshot.request_id}: it keeps results for a limited time."
            await self._end("FAILED", error=text, error_type="result_gone")
        elif isinstance(error, FalClientHTTPError):
            await self._end(
                "FAILED", error=str(error), error_type=error.error_type, billable_units=error.billable_units
            )
        elif isinstance(error, FalError):
            await self._end("FAILED", error=str(error), error_type=type(error).__name__)
        else:
            _log.error("job #%s stopped on an internal error", self.snapshot.record_id, exc_info=error)
            text = f"An internal error stopped the job: {type(error).__name__}."
            if self._may_have_left:
                self.error = SubmissionUnknown(f"{text} It may have been accepted.", endpoint=self.snapshot.endpoint)
                await self._end("UNKNOWN", error=str(self.error), error_type=type(error).__name__)
                return
            self.error = JobError(text)
            await self._end("FAILED", error=str(self.error), error_type=type(error).__name__)

    async def _end(self, state: str, **changes: Any) -> None:
        if self._cancel_task is not None:
            await asyncio.wait({self._cancel_task}, timeout=10)
        self.cancel_answered.set()
        changes.setdefault("ended", time.time())
        if self.snapshot.logs:
            changes |= {"logs": self.snapshot.logs, "log_count": self.snapshot.log_count}
        if state == "CANCELLED" and self.snapshot.request_id is None:
            changes["cancel"] = None  # nothing was sent that could be asked for
        await self._step(state=state, queue_position=None, **changes)

    async def _step(self, **changes: Any) -> None:
        """Write a step to the ledger, then show it; what cannot be written now is written later, and said so."""
        changes |= settlement(self.snapshot, changes)
        fields = {name: value for name, value in changes.items() if name in _COLUMNS}
        artifacts = changes.get("artifacts", ())
        error = await self._recorder.owed.write(self.snapshot.record_id, fields, artifacts, self._caught_up)
        if isinstance(error, LeaseLost):
            raise error
        if error is not None:
            _log.warning("job #%s: %s", self.snapshot.record_id, error)
            changes["next_step"] = f"{_BEHIND} {error}"
        self._set(**changes)
        self._set(**settlement(self.snapshot, {}))

    @property
    def _may_have_left(self) -> bool:
        """Whether the POST may have been sent and nothing is known of its answer."""
        snapshot = self.snapshot
        return snapshot.state in {"SUBMITTING", "RUNNING"} and snapshot.request_id is None and snapshot.ended is None

    @property
    def _is_behind(self) -> bool:
        return (self.snapshot.next_step or "").startswith(_BEHIND)

    def _caught_up(self) -> None:
        if self._is_behind:
            self._set(next_step=advice(self.snapshot.artifacts))

    def _set(self, **changes: Any) -> None:
        if changes:
            self.snapshot = replace(self.snapshot, **changes)
            self._publish(self.snapshot)


def _outcome(answer: Answer) -> dict[str, Any]:
    return {"result": answer.data, "billable_units": answer.billable_units, "ended": time.time()}


_COLUMNS = frozenset(
    {
        "state",
        "cancel",
        "log_count",
        "logs",
        "arguments",
        "request_id",
        "submitted",
        "started",
        "ended",
        "queue_s",
        "inference_s",
        "billable_units",
        "cost",
        "error",
        "error_type",
        "result",
    }
)
