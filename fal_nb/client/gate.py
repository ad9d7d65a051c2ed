"""The one gate that all paid calls of a client pass: closed for a while by a 429, and for good by a locked account.

Its one invariant: after a refusal the next call through is alone, and the others follow as it gets through; a queue of
a thousand calls asks a server that refuses one question at a time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fal_nb.client.withdrawal import Withdrawal
from fal_nb.errors import AccountLockedError, RequestCancelledError

__all__ = ["CALLED_OFF", "LOCK_S", "Gate", "Passage"]

CALLED_OFF = "Cancelled before it was accepted: nothing was started."
LOCK_S = 300.0
"""How long a locked account is not asked again, in seconds."""
_SLOW_S = 2.0
_FREE_AT = 64
_PRESSURE_STEP = 0.05


@dataclass(slots=True, eq=False)
class _Waiter:
    loop: asyncio.AbstractEventLoop
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop has ended, and it with it
            self.loop.call_soon_threadsafe(self.changed.set)


@dataclass(slots=True, eq=False)
class Passage:
    """One call that was let through; its owner says how it went.

    Attributes
    ----------
    round
        How many pauses there had been: of several refusals in one round only the first counts.
    """

    gate: Gate
    round: int
    tests_lock: bool
    is_over: bool = False

    def accepted(self) -> None:
        """Take note that it was not refused."""
        self.gate._landed(self, is_good=True)  # noqa: SLF001 - the two halves of one thing

    def refused(self, wait_s: float) -> None:
        """Take note of a 429; nobody is let through for so many seconds."""
        self.gate._pause_for(self, wait_s)  # noqa: SLF001

    def locked(self, error: AccountLockedError) -> None:
        """Take note that the account is locked."""
        self.gate._lock_with(self, error)  # noqa: SLF001

    def gone(self) -> None:
        """Take note that nobody knows how it went."""
        self.gate._landed(self, is_good=False)  # noqa: SLF001


class Gate:
    """Lets paid calls through; may be used from several event loops at once.

    Parameters
    ----------
    lock_s
        How long a locked account keeps everything back before one call may try; 0 keeps nothing back.
    clock
        Seconds that only go up.
    pause
        Waits so many seconds.
    """

    def __init__(
        self,
        *,
        lock_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lock_s = lock_s
        self._clock = clock
        self._pause = pause
        self._mutex = threading.RLock()
        self._line: deque[_Waiter] = deque()
        self._flying = 0
        self._most: int | None = None
        self._open_at = 0.0
        self._round = 0
        self._streak = 0
        self._pressure = 0.0
        self._refusal: AccountLockedError | None = None
        self._retry_at = 0.0
        self._is_testing = False

    @property
    def pressure(self) -> float:
        """How far a window of calls should give way, from 0 (nothing was refused lately) to just under 1.

        ``max(1, int(window * (1 - gate.pressure)))`` calls at once are well: each pause halves what is left of the
        window, each call that gets through gives a twentieth of it back.
        """
        return self._pressure

    @property
    def paused_s(self) -> float:
        """Seconds until the next call is let through; 0 where nothing was refused."""
        return max(0.0, self._open_at - self._clock())

    @property
    def streak(self) -> int:
        """How many pauses there were since a call last got through."""
        return self._streak

    @property
    def waiting(self) -> int:
        """How many calls stand in line."""
        return len(self._line)

    def check(self) -> None:
        """Let those pass whom the lock lets pass.

        Raises
        ------
        AccountLockedError
            With what fal said, where the account was locked less than `lock_s` ago.
        """
        with self._mutex:
            refusal, left_s = self._refusal, self._retry_at - self._clock()
        if refusal is not None and left_s > 0:
            raise _locked(refusal, left_s)

    def unlock(self) -> None:
        """Let one call try whether the account is still locked; the others wait for what it meets."""
        with self._mutex:
            self._retry_at = 0.0
            self._wake_all()

    async def take(self, turn: Withdrawal) -> None:
        """Wait for a turn, first come, first served, and keep it for the next `passage`; raises like that.

        What is not used is to be given back.
        """
        turn.held = await self._enter(turn)

    @asynccontextmanager
    async def passage(self, turn: Withdrawal, *, is_slow: bool = False) -> AsyncGenerator[Passage]:
        """Wait for a turn, first come, first served, and hold it for a block.

        Parameters
        ----------
        is_slow
            Whether its answer comes at the end of its work: after 2 s it no longer keeps others waiting.

        Raises
        ------
        AccountLockedError
            Where the account is locked.
        RequestCancelledError
            Where the call was called off meanwhile.
        """
        held, turn.held = turn.held, None
        if held is not None and turn.is_wanted:
            held.gone()
            raise RequestCancelledError(CALLED_OFF)
        passage = held or await self._enter(turn)
        timer = asyncio.get_running_loop().call_later(_SLOW_S, passage.accepted) if is_slow else None
        try:
            yield passage
        finally:
            if timer is not None:
                timer.cancel()
            passage.gone()

    async def _enter(self, turn: Withdrawal) -> Passage:
        with self._mutex:
            if not self._line and self.paused_s <= 0 and not self._is_full():
                self._refuse(turn)
                return self._let_through()
        async with self._standing(turn) as waiter:
            while True:
                with self._mutex:
                    self._refuse(turn)
                    wait_s = self.paused_s
                    if wait_s <= 0 and self._line[0] is waiter and not self._is_full():
                        passage = self._let_through()
                        break
                await self._wait(waiter, turn, wait_s)
        if turn.on_wait is not None:
            turn.on_wait(0.0)
        return passage

    @asynccontextmanager
    async def _standing(self, turn: Withdrawal) -> AsyncGenerator[_Waiter]:
        waiter = _Waiter(asyncio.get_running_loop())
        turn.wake = waiter.changed.set
        with self._mutex:
            self._line.append(waiter)
        try:
            yield waiter
        finally:
            turn.wake = None
            with self._mutex:
                self._line.remove(waiter)
                self._wake_first()

    async def _wait(self, waiter: _Waiter, turn: Withdrawal, wait_s: float) -> None:
        """Wait for a change, or for the end of the pause."""
        waiter.changed.clear()
        if wait_s > 0 and turn.on_wait is not None:
            turn.on_wait(wait_s)
        until = self._open_at
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(waiter.changed.wait())}
        sleep = asyncio.ensure_future(_slept(self._pause, wait_s)) if wait_s > 0 else None
        if sleep is not None:
            waits.add(sleep)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        if sleep is not None and sleep.done() and not sleep.cancelled():
            with self._mutex:
                if self._open_at == until:
                    self._open_at = 0.0
                self._wake_first()

    def _refuse(self, turn: Withdrawal) -> None:
        if turn.is_wanted:
            raise RequestCancelledError(CALLED_OFF)
        self.check()

    def _is_full(self) -> bool:
        if self._refusal is not None and self._is_testing:
            return True
        return self._most is not None and self._flying >= self._most

    def _let_through(self) -> Passage:
        self._flying += 1
        self._is_testing = self._refusal is not None
        return Passage(self, self._round, self._is_testing)

    def _landed(self, passage: Passage, *, is_good: bool) -> None:
        with self._mutex:
            if passage.is_over:
                return
            passage.is_over = True
            self._flying -= 1
            if passage.tests_lock:
                self._is_testing = False
                if is_good:
                    self._refusal = None
            if is_good and passage.round == self._round:
                self._streak = 0
                self._pressure = max(0.0, self._pressure - _PRESSURE_STEP)
                if self._most is not None:
                    self._most = self._most + 1 if self._most < _FREE_AT else None
            self._wake_all()

    def _pause_for(self, passage: Passage, wait_s: float) -> None:
        with self._mutex:
            if passage.tests_lock:
                self._refusal = None
            if passage.round == self._round:
                self._round += 1
                self._streak += 1
                self._pressure = (1 + self._pressure) / 2
                self._most = 1
            self._open_at = max(self._open_at, self._clock() + wait_s)
            self._landed(passage, is_good=False)

    def _lock_with(self, passage: Passage, error: AccountLockedError) -> None:
        with self._mutex:
            if self._lock_s > 0:
                self._refusal = error
                self._retry_at = self._clock() + self._lock_s
            self._landed(passage, is_good=False)

    def _wake_first(self) -> None:
        if self._line:
            self._line[0].wake()

    def _wake_all(self) -> None:
        for waiter in self._line:
            waiter.wake()


async def _slept(pause: Callable[[float], Awaitable[None]], seconds: float) -> None:
    await pause(seconds)


def _locked(refusal: AccountLockedError, left_s: float) -> AccountLockedError:
    """Return the error of a call that is not sent because an earlier one met a locked account."""
    minutes = max(1, round(left_s / 60))
    return AccountLockedError(
        f"{refusal.message} Nothing was sent: once that is settled, fal.unlock() lets a call try at once; otherwise "
        f"one may try in {minutes} min.",
        refusal.status_code,
        refusal.response_headers,
        detail=refusal.detail,
        error_type=refusal.error_type,
        endpoint=refusal.endpoint,
    )
