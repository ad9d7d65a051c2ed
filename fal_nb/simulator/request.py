"""One request inside the simulator: its phase, position, logs and answer, and who waits for a change of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.status import Completed, InProgress, Queued
from fal_nb.simulator.answers import Answer
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, SimulatedEndpoint
from fal_nb.simulator.faults import Fault

__all__ = ["Phase", "SimulatedRequest", "utc_now"]

Phase: TypeAlias = Literal["queued", "running", "done"]


@dataclass(eq=False, slots=True)
class SimulatedRequest:
    """Changed on the server's loop only.

    Attributes
    ----------
    endpoint_id
        As called, path included.
    refusal
        Set where the body could not be read; the endpoint answers with it.
    position
        Requests ahead of it in the line; kept by the queue, meaningless once it runs.
    told_position
        The position its watchers were told last.
    ready_at
        Loop time before which no runner takes it up.
    answer
        Set together with the phase ``done``.
    sent_at, started_at
        UTC, ISO 8601; the second None until a runner took it up.
    stores_payloads
        Whether its input and output are kept for the account's list; None leaves it to the account.
    media_life_s
        Seconds its outputs are kept; None for ever.
    webhook_url
        Where its end is to be told, as the caller wrote it.
    faults
        Those asked for at submission, for later requests about it.
    """

    request_id: str
    endpoint_id: EndpointId
    endpoint: SimulatedEndpoint
    arguments: Any
    low_priority: bool = False
    refusal: EndpointFailure | None = None
    sent_at: str = ""
    started_at: str | None = None
    stores_payloads: bool | None = None
    media_life_s: float | None = None
    webhook_url: str | None = None
    faults: list[Fault] = field(default_factory=list)
    phase: Phase = "queued"
    position: int = 0
    told_position: int | None = None
    ready_at: float = 0.0
    logs: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    task: asyncio.Task[Answer] | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    _waiters: list[asyncio.Future[bool]] = field(default_factory=list)

    def log(self, message: str, level: str = "INFO") -> None:
        """Add a log line and wake those who wait."""
        self.logs.append({"message": message, "timestamp": utc_now(), "level": level, "source": "USER"})
        self.touch()

    def touch(self, *, changed: bool = True) -> None:
        """Wake everybody who waits; with `changed` False only to show that the line is still open."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(changed)

    @property
    def is_watched(self) -> bool:
        """Whether anybody waits for a change."""
        return bool(self._waiters)

    async def changed(self) -> bool:
        """Wait until somebody calls `touch`; return what it says."""
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def status(self, *, with_logs: bool, since: int = 0) -> Queued | InProgress | Completed:
        """Return the wire's status.

        Parameters
        ----------
        since
            Leave out this many of the oldest log lines.
        """
        if self.phase == "queued":
            return Queued(self.position)
        logs = self.logs[since:] if with_logs else None
        if self.answer is None:
            return InProgress(logs)
        return Completed(logs, self.metrics, self.answer.error, self.answer.error_type)

    def urls(self, queue_url: str) -> dict[str, str]:
        """Return the three control URLs: endpoint base only, without its path.

        Source: fal docs "Inference API"; fal-js ``queue.ts``.
        """
        base = f"{queue_url}/{self.endpoint_id.base}/requests/{self.request_id}"
        return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}


def utc_now() -> str:
    """Return the time as the service writes it: UTC, ISO 8601, microseconds."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="microseconds")
