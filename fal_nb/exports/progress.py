"""How far an export has come, said a few times a second to whoever wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Progress"]

_EVERY_S = 0.25


class Progress:
    """Counts what has been written.

    Parameters
    ----------
    tell
        Is called with done, total and what is counted; on the thread that writes, at most four times a second and
        once at the end.
    """

    def __init__(self, tell: Callable[[int, int, str], None] | None = None) -> None:
        self._tell = tell
        self._done, self._total, self._what = 0, 0, ""
        self._told = 0.0

    def begin(self, total: int, what: str) -> None:
        """Say what is counted from here on, and how much of it there is."""
        self._done, self._total, self._what = 0, total, what

    def step(self) -> None:
        """Count one more."""
        self._done += 1
        now = time.monotonic()
        if self._tell is not None and (self._done == self._total or now - self._told >= _EVERY_S):
            self._told = now
            self._tell(self._done, self._total, self._what)
