"""``FrameLine``: keeps a realtime connection fed with the newest input, few at a time, and ends it when nobody uses it.

Its invariants: never more than `most` inputs are on their way, an input that has a newer one behind it is never sent,
and no connection outlives `idle_s` seconds without an input, since realtime is billed by time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from fal_nb.errors import FalError

__all__ = ["Connect", "Frame", "FrameConnection", "FrameLine", "LineState", "Timings"]

LineState: TypeAlias = Literal["closed", "connecting", "open", "failed"]

_MOST_TIMINGS = 240
_RATE_S = 3.0
_ENDED = "The endpoint ended the session."
_NO_ANSWER = "The endpoint ended the session without an answer: look at the arguments, or try again."
_log = logging.getLogger("fal_nb")


class FrameConnection(Protocol):
    """What is needed of a realtime connection."""

    async def send(self, arguments: dict[str, Any], /) -> None:
        """Send one input."""

    async def recv(self) -> Any:
        """Return the next result; None once the other side has ended in order."""


Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[FrameConnection]]
"""Opens a connection; leaving it ends it in order."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One result that came back.

    Attributes
    ----------
    number
        Counted from 1.
    input
        The number that the input was offered under.
    wire_s
        Seconds from its input's leaving to its coming.
    """

    number: int
    input: int
    arguments: Mapping[str, Any]
    result: Any
    wire_s: float


class Timings:
    """Round trips of the last frames, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: deque[tuple[float, float]] = deque(maxlen=_MOST_TIMINGS)

    def add(self, seconds: float) -> None:
        """Take in the round trip of a frame that has just come."""
        self._found.append((self._clock(), seconds))

    def quantile(self, share: float) -> float | None:
        """Return the round trip that this share of the frames did not exceed; None before the first."""
        if not self._found:
            return None
        ordered = sorted(seconds for _, seconds in self._found)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def frames_per_s(self) -> float:
        """Frames a second, over the last three."""
        since = self._clock() - _RATE_S
        return sum(1 for at, _ in self._found if at > since) / _RATE_S


class FrameLine:
    """One line to an endpoint, connected while it is used. Every method belongs to the loop's thread.

    Parameters
    ----------
    start
        Runs a coroutine as a part of the session, which cancels it at its own end.
    on_frame, on_change
        Called with each frame; whenever anything else of it has changed. Neither may block.
    most
        Inputs on their way at one time.
    idle_s
        Seconds without an input after which it disconnects.
    lost_s
        Seconds after which an answer is given up, so that one the endpoint never sends holds up nothing.
    echo
        An input that the endpoint gives back in its result under the same name, to tell which input it answers;
        without it answers are taken in the order of the inputs.
    """

    def __init__(  # noqa: PLR0913 - a line has so many sides
        self,
        connect: Connect,
        start: Callable[[Any], asyncio.Task[Any]],
        on_frame: Callable[[Frame], None],
        on_change: Callable[[], None],
        *,
        most: int = 2,
        idle_s: float = 45.0,
        lost_s: float = 10.0,
        echo: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._start = connect, start
        self._on_frame, self._on_change = on_frame, on_change
        self.most, self.idle_s, self._lost_s, self._echo, self._clock = most, idle_s, lost_s, echo, clock
        self.state: LineState = "closed"
        self.why = ""
        """Why it is closed or has failed, in one line; empty before its first connection."""
        self.is_paused = False
        self.connections = self.sent = self.answered = self.skipped = self.lost = 0
        self.most_seen = 0
        """The most inputs that were ever on their way at once."""
        self.timings = Timings(clock)
        self._next: tuple[int, Mapping[str, Any]] | None = None
        self._in_flight: dict[int, tuple[Mapping[str, Any], float]] = {}
        self._last_sent: tuple[int, Mapping[str, Any]] = (0, {})
        self._used_at = clock()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._is_ending = False

    @property
    def in_flight(self) -> int:
        """How many inputs are on their way."""
        return len(self._in_flight)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._in_flight) or self._is_wanted()

    def _is_wanted(self) -> bool:
        """Whether an input waits that may be sent."""
        return self._next is not None and not self.is_paused

    @property
    def idle_left_s(self) -> float | None:
        """Seconds until it disconnects by itself; None where it is in use, or not connected."""
        if self.state != "open" or self.is_busy:
            return None
        return max(0.0, self._used_at + self.idle_s - self._clock())

    def offer(self, number: int, arguments: Mapping[str, Any]) -> None:
        """Have an input sent as soon as there is room, unless a newer one is offered first; connects where needed.

        After a failure it waits for `go`.
        """
        self.skipped += self._next is not None
        self._next = number, arguments
        self._used_at = self._clock()
        if not self.is_paused and self.state != "failed":
            self._run_on()

    def pause(self) -> None:
        """Send no inputs; the connection stays until it has been idle for long."""
        self.is_paused = True
        self._on_change()

    def go(self) -> None:
        """Go on after a pause or a failure, with the newest input."""
        self.is_paused = False
        self._used_at = self._clock()
        if self.state == "failed":
            self.state, self.why = "closed", ""
        if self._next is not None or self.state == "open":
            self._run_on()
        self._on_change()

    async def stop(self, why: str = "Stopped.") -> None:
        """End the connection in order; an input offered later connects anew."""
        self._next = None
        task = self._task
        if task is None or task.done():
            return
        self._is_ending, self.why = True, why
        self._wake.set()
        _, late = await asyncio.wait({task}, timeout=2.0)
        if late:
            task.cancel()
            await asyncio.wait({task}, timeout=2.0)

    # -- inside ------------------------------------------------------------------------------------------

    def _run_on(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._start(self._run())
        self._wake.set()

    async def _run(self) -> None:
        try:
            while self._is_wanted():
                answered = self.answered
                self._is_ending = False
                self._become("connecting")
                async with self._connect() as connection:
                    self.connections += 1
                    self._become("open")
                    is_ours = await self._serve(connection)
                self._in_flight.clear()
                if self._is_wanted() and not is_ours and self.answered == answered:
                    self._become("failed", _NO_ANSWER)
                    return
            self._become("closed", self.why or _ENDED)
        except asyncio.CancelledError:
            self._become("closed", self.why or "The session was closed.")
            raise
        except FalError as error:
            self._become("failed", str(error))
        except Exception as error:  # noqa: BLE001 - a line never takes the loop down; its state says what happened
            _log.debug("a realtime line failed", exc_info=error)
            self._become("failed", f"{type(error).__name__}: {error}")
        finally:
            self._in_flight.clear()

    async def _serve(self, connection: FrameConnection) -> bool:
        """Send and receive until either side ends, and return whether it was this one."""
        self.why = ""
        receiving = asyncio.ensure_future(self._receive(connection))
        receiving.add_done_callback(lambda _: self._wake.set())
        try:
            while not receiving.done() and not self._is_ending:
                self._wake.clear()
                self._give_up_lost()
                if self._is_wanted() and len(self._in_flight) < self.most:
                    await self._send_next(connection)
                    continue
                left = self.idle_left_s
                if left == 0.0:
                    self._is_ending = True
                    self.why = f"Disconnected after {self.idle_s:g} s without an input: realtime is billed by time."
                    break
                if left is not None:
                    self._on_change()
                await self._sleep(left)
        finally:
            if not receiving.done():
                receiving.cancel()
            await asyncio.wait({receiving})
        if not receiving.cancelled():
            receiving.result()
        return self._is_ending

    async def _sleep(self, idle_left_s: float | None) -> None:
        """Wait until something happens, or until it is time to disconnect or to give up an answer."""
        oldest = min((at for _, at in self._in_flight.values()), default=None)
        until_lost = None if oldest is None else max(0.01, oldest + self._lost_s - self._clock())
        limit = min((limit for limit in (idle_left_s, until_lost) if limit is not None), default=None)
        try:
            await asyncio.wait_for(self._wake.wait(), limit)
        except TimeoutError:
            return

    async def _send_next(self, connection: FrameConnection) -> None:
        assert self._next is not None  # noqa: S101 - the caller looked
        (number, arguments), self._next = self._next, None
        self._in_flight[number] = arguments, self._clock()
        self._last_sent = number, arguments
        self.most_seen = max(self.most_seen, len(self._in_flight))
        self.sent += 1
        await connection.send(dict(arguments) if self._echo is None else {**arguments, self._echo: str(number)})

    async def _receive(self, connection: FrameConnection) -> None:
        while (result := await connection.recv()) is not None:
            number, arguments, wire_s = self._answered(result)
            self.answered += 1
            if wire_s is not None:
                self.timings.add(wire_s)
            self._used_at = self._clock()
            self._on_frame(Frame(self.answered, number, arguments, result, wire_s or 0.0))
            self._wake.set()

    def _answered(self, result: Any) -> tuple[int, Mapping[str, Any], float | None]:
        """Return which input a result answers, after how many seconds; what was sent before it is lost."""
        number = next(iter(self._in_flight), None)
        if self._echo is not None and isinstance(result, Mapping):
            echoed = str(result.get(self._echo))
            number = int(echoed) if echoed.isdecimal() and int(echoed) in self._in_flight else number
        if number is None:  # a second result for one input
            return (*self._last_sent, None)
        arguments, at = self._in_flight[number]
        for older in [each for each in self._in_flight if each <= number]:
            self.lost += older != number
            del self._in_flight[older]
        return number, arguments, self._clock() - at

    def _give_up_lost(self) -> None:
        now = self._clock()
        for number in [number for number, (_, at) in self._in_flight.items() if now - at >= self._lost_s]:
            del self._in_flight[number]
            self.lost += 1

    def _become(self, state: LineState, why: str | None = None) -> None:
        self.state = state
        if why is not None:
            self.why = why
        self._on_change()
