"""``Watcher``: a job that another kernel follows, as the history tells of it. It sends nothing but a cancel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.errors import FalError

if TYPE_CHECKING:
    from fal_nb.engine.contract import Wire
    from fal_nb.engine.recorder import Recorder

__all__ = ["Watcher"]

_LOOK_S = 0.5
_ELSEWHERE = "Another kernel follows it; this one only looks on."
_AS_SOON = "The other kernel is still sending it: the cancel goes out as soon as there is a request."
_log = logging.getLogger("fal_nb")


class Watcher:
    """Stands where a `Follower` would; lives on the loop's thread alone."""

    def __init__(
        self,
        snapshot: JobSnapshot,
        wire: Callable[[], Awaitable[Wire]],
        recorder: Recorder,
        publish: Callable[[JobSnapshot], None],
    ) -> None:
        self.snapshot = snapshot
        self.error: BaseException | None = None
        self.cancel_answered = asyncio.Event()
        self._get_wire = wire
        self._recorder = recorder
        self._publish = publish
        self._seen: float | None = None
        self.is_cancel_wanted = False
        """Whether a cancel was asked for and fal has not answered one yet."""
        self._cancel_task: asyncio.Task[None] | None = None

    @property
    def log_entries(self) -> list[dict[str, Any]]:
        """The log lines that the history has: those of a job that has ended."""
        return [{"message": line} for line in self.snapshot.logs]

    async def run(self) -> bool:
        """Look on until the job has ended, and return True; False where its kernel is gone and this one has it now."""
        while True:
            try:
                if await self._look():
                    return True
                if await self._recorder.claim(self.snapshot.record_id):
                    return False
            except FalError as error:
                _log.warning("job #%s: %s", self.snapshot.record_id, error)
            await asyncio.sleep(_LOOK_S)

    def ask_cancel(self) -> None:
        """Ask fal to stop the request: whoever follows it then sees how it ends."""
        if self.snapshot.is_final:
            return
        self.is_cancel_wanted = True
        if self.snapshot.request_id is None:
            self._publish(self.snapshot.noting(_AS_SOON))
        elif self._cancel_task is None:
            self._cancel_task = asyncio.ensure_future(self._send_cancel())

    def amend(self, **changes: Any) -> None:
        """Show what has changed after the end: files that were fetched later."""
        self.snapshot = replace(self.snapshot, **changes)
        self._publish(self.snapshot)

    async def _look(self) -> bool:
        record = await self._recorder.get(self.snapshot.record_id)
        if record.updated != self._seen:
            self._seen = record.updated
            artifacts = await self._recorder.artifacts(record.id) if record.ended is not None else ()
            self._set(JobSnapshot.of_record(record, artifacts))
            if self.is_cancel_wanted:
                self.ask_cancel()
        return self.snapshot.is_final

    def _set(self, snapshot: JobSnapshot) -> None:
        if not snapshot.is_final:
            snapshot = snapshot.noting(snapshot.next_step or _ELSEWHERE)
        self.snapshot = snapshot
        self._publish(snapshot)

    async def _send_cancel(self) -> None:
        try:
            wire = await self._get_wire()
            said = await wire.cancel(self.snapshot.endpoint, self.snapshot.request_id or "")
            self.is_cancel_wanted = False
            await self._recorder.tell(self.snapshot.record_id, f"A cancel was sent from another kernel: {said}.")
            self._publish(self.snapshot.noting(f"A cancel was sent: {said}.", cancel=said))
        except FalError as error:
            # Not delivered: it may be asked again.
            self._cancel_task, self.is_cancel_wanted = None, False
            self._publish(self.snapshot.noting(f"The cancel was not delivered: {error}"))
        finally:
            self.cancel_answered.set()
