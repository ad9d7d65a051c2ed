"""The queue: one line for all endpoints, a number of runners, positions that count down, cancelling, deadlines."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from functools import partial

from fal_nb.protocol import headers as names
from fal_nb.simulator.answers import Answer, infrastructure_failure
from fal_nb.simulator.options import Options
from fal_nb.simulator.request import SimulatedRequest, utc_now
from fal_nb.simulator.runner import Runner, RunnerLost

__all__ = ["CancelAnswer", "Queue"]

CancelAnswer = tuple[int, str]
"""HTTP status and the word in the body."""

_PUBLISH_INTERVAL_S = 0.2
_NEAR = 20
_FAR_FACTOR = 0.5
_CANCEL_DELAY_S = 0.05
_LARGE_RESULT_BYTES = 10 * 1024


class Queue:
    """Used on the server's loop only.

    Direct calls take a runner as well (`try_claim`, `release`), so that the account's limit holds for both.

    Parameters
    ----------
    options
        Runners (requests in progress at once; 2 for a new account by fal docs "Concurrency Limits"), waits and lives.
    on_done
        Called once for each request that ends, however it ends.
    """

    def __init__(self, runner: Runner, options: Options, on_done: Callable[[SimulatedRequest], None]) -> None:
        self._runner = runner
        self._options = options
        self._runners = options.runners
        self._pickup_s = options.effective_pickup_s
        self._on_done = on_done
        self._busy = 0
        self._lines: tuple[deque[SimulatedRequest], deque[SimulatedRequest]] = (deque(), deque())
        self._requests: dict[str, SimulatedRequest] = {}
        self._unfinished = 0
        self._stale = False
        self._publishing: asyncio.TimerHandle | None = None
        self._pinging: asyncio.TimerHandle | None = None

    @property
    def unfinished(self) -> int:
        """Requests that have not ended."""
        return self._unfinished

    def find(self, request_id: str) -> SimulatedRequest | None:
        """Return a request, as long as its result is kept; its position is up to date."""
        request = self._requests.get(request_id)
        if request is not None and request.phase == "queued":
            self._refresh_positions()
        return request

    def waiting(self, endpoint_base: str | None = None) -> int:
        """Return how many requests wait, in all or for one endpoint's base id."""
        return sum(endpoint_base in {None, request.endpoint_id.base} for line in self._lines for request in line)

    def submit(self, request: SimulatedRequest, start_timeout_s: float | None = None) -> None:
        """Put a request at the end of the line.

        Parameters
        ----------
        start_timeout_s
            It fails with 504 where no runner took it up within this time.
        """
        loop = asyncio.get_running_loop()
        request.ready_at = loop.time() + self._pickup_s
        self._requests[request.request_id] = request
        self._unfinished += 1
        self._enqueue(request)
        if self._pinging is None:
            self._pinging = loop.call_later(self._options.ping_s, self._ping)
        if start_timeout_s is not None:
            request.timers.append(loop.call_later(start_timeout_s, self._miss_start, request))

    def cancel(self, request_id: str) -> CancelAnswer:
        """Remove a waiting request or ask its runner to stop.

        Source: fal docs "Cancel", "Asynchronous Inference".
        """
        request = self._requests.get(request_id)
        if request is None:
            return 404, "NOT_FOUND"
        if request.phase == "done":
            return 400, "ALREADY_COMPLETED"
        if request.phase == "queued":
            self._leave_line(request)
            self._finish(request, _cancelled())
            return 200, "OK"
        if not any(fault.name == "ignore-cancel" for fault in request.faults):
            request.timers.append(asyncio.get_running_loop().call_later(_CANCEL_DELAY_S, self._stop, request))
        return 202, "CANCELLATION_REQUESTED"

    def try_claim(self) -> bool:
        """Take a runner for a direct call; False where all are busy."""
        if self._busy >= self._runners:
            return False
        self._busy += 1
        self._unfinished += 1
        return True

    def release(self) -> None:
        """Give back the runner of a direct call."""
        self._busy -= 1
        self._unfinished -= 1
        self._dispatch()

    def set_runners(self, runners: int) -> None:
        """Change the number of runners; with 0 everything waits."""
        self._runners = runners
        self._dispatch()

    def close(self) -> None:
        """End everything: work stops, and those who wait are woken."""
        for timer in (self._publishing, self._pinging):
            if timer is not None:
                timer.cancel()
        self._publishing = self._pinging = None
        for line in self._lines:
            line.clear()
        for request in list(self._requests.values()):
            if request.task is not None:
                request.task.cancel()
            self._finish(request, infrastructure_failure(503, "runner_disconnected", "The simulator was closed."))
            for timer in request.timers:
                timer.cancel()
        self._requests.clear()

    def _enqueue(self, request: SimulatedRequest, *, first: bool = False) -> None:
        line = self._lines[request.low_priority]
        if first:
            line.appendleft(request)
        else:
            line.append(request)
        request.phase = "queued"
        request.position = sum(map(len, self._lines[: request.low_priority + 1])) - 1
        self._stale = self._stale or first or bool(self._lines[1])
        asyncio.get_running_loop().call_at(request.ready_at, self._dispatch)

    def _dispatch(self) -> None:
        """Give ready requests to free runners, those of normal priority first."""
        loop = asyncio.get_running_loop()
        started = False
        while self._busy < self._runners:
            line = next((line for line in self._lines if line and line[0].ready_at <= loop.time() + 1e-3), None)
            if line is None:
                break
            self._busy += 1
            request = line.popleft()
            request.phase = "running"
            request.started_at = request.started_at or utc_now()
            request.touch()
            request.task = loop.create_task(self._runner.work(request))
            request.task.add_done_callback(partial(self._ended, request))
            started = True
        if started:
            self._positions_changed()

    def _ended(self, request: SimulatedRequest, task: asyncio.Task[Answer]) -> None:
        """Take back the runner; a task that was cancelled before its first step ends up here as well."""
        self._busy -= 1
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RunnerLost) and request.phase == "running":
            request.ready_at = asyncio.get_running_loop().time() + self._pickup_s
            self._enqueue(request, first=True)
            request.touch()
            self._positions_changed()
        else:
            self._finish(request, _cancelled() if task.cancelled() or error else task.result())
        self._dispatch()

    def _stop(self, request: SimulatedRequest) -> None:
        if request.phase == "running" and request.task is not None:
            request.task.cancel()
        elif request.phase == "queued":
            self._leave_line(request)
            self._finish(request, _cancelled())

    def _miss_start(self, request: SimulatedRequest) -> None:
        if request.phase != "queued":
            return
        self._leave_line(request)
        detail = "The request was not started within the time it was given."
        headers = {names.TIMEOUT_TYPE.replace("-", "_"): "user"}
        self._finish(request, infrastructure_failure(504, "request_timeout", detail, **headers))

    def _leave_line(self, request: SimulatedRequest) -> None:
        self._lines[request.low_priority].remove(request)
        self._positions_changed()

    def _finish(self, request: SimulatedRequest, answer: Answer) -> None:
        if request.phase == "done":
            return
        for timer in request.timers:
            timer.cancel()
        request.timers.clear()
        request.answer = answer
        request.phase = "done"
        request.task = None
        self._unfinished -= 1
        self._on_done(request)
        request.touch()
        life_s = self._options.large_result_life_s if _is_large(answer) else self._options.result_life_s
        loop = asyncio.get_running_loop()
        request.timers.append(loop.call_later(life_s, self._requests.pop, request.request_id, None))

    def _positions_changed(self) -> None:
        """See to it that those who watch a position learn it soon, many changes in one go."""
        self._stale = True
        if self._publishing is None:
            loop = asyncio.get_running_loop()
            self._publishing = loop.call_later(_PUBLISH_INTERVAL_S, self._publish_positions)

    def _publish_positions(self) -> None:
        self._publishing = None
        self._refresh_positions()
        for line in self._lines:
            for request in line:
                if request.is_watched and _is_worth_telling(request):
                    request.told_position = request.position
                    request.touch()

    def _ping(self) -> None:
        """Let every open status stream show that it is alive. Source: fal docs "Stream request status" (15 s)."""
        self._pinging = None
        for request in self._requests.values():
            request.touch(changed=False)
        if self._unfinished:
            self._pinging = asyncio.get_running_loop().call_later(self._options.ping_s, self._ping)

    def _refresh_positions(self) -> None:
        if self._stale:
            self._stale = False
            position = 0
            for line in self._lines:
                for request in line:
                    request.position = position
                    position += 1


def _is_worth_telling(request: SimulatedRequest) -> bool:
    """Whether a watcher is told: each step near the front, larger ones far from it, or 2,000 streams would drown."""
    told = request.told_position
    if request.position == told:
        return False
    return told is None or request.position < _NEAR or request.position <= told * _FAR_FACTOR


def _is_large(answer: Answer) -> bool:
    return len(json.dumps(answer.body)) >= _LARGE_RESULT_BYTES


def _cancelled() -> Answer:
    return infrastructure_failure(499, "client_cancelled", "The request was cancelled by the client.")
