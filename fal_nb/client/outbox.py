"""Which input goes out next over a realtime connection, and when: a place for one, in which the newest wins.

Pure: the clock is handed in. Its one invariant: every input put in was taken once, or superseded, or is still here.
"""

from __future__ import annotations

__all__ = ["Outbox"]


class Outbox:
    """Holds the newest input that has not gone out.

    Parameters
    ----------
    throttle_s
        Least time between two inputs, in seconds; the first goes at once.
    in_flight
        How many inputs may be unanswered; None where that is no reason to wait.
    patience_s
        An input is waited for no longer than this: an app that holds few inputs drops others without a word.

    Attributes
    ----------
    superseded
        Inputs that a newer one took the place of.
    unanswered
        Inputs taken that no answer has come for, as far as answers can be told apart: they are counted.
    """

    def __init__(self, *, throttle_s: float = 0.0, in_flight: int | None = None, patience_s: float = 5.0) -> None:
        self._throttle_s = throttle_s
        self._in_flight = in_flight
        self._patience_s = patience_s
        self._frame: bytes | str | None = None
        self._taken_at: float | None = None
        self.superseded = 0
        self.unanswered = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return self._frame is None

    def put(self, frame: bytes | str) -> None:
        """Take in an input, in the place of one that waits."""
        if self._frame is not None:
            self.superseded += 1
        self._frame = frame

    def due_s(self, now: float) -> float | None:
        """Return the seconds until the input that waits may go, 0 for at once; None where nothing waits."""
        if self._frame is None:
            return None
        if self._taken_at is None:
            return 0.0
        waited = now - self._taken_at
        wanted = self._throttle_s
        if self._in_flight is not None and self.unanswered >= self._in_flight:
            wanted = max(wanted, self._patience_s)
        return max(0.0, wanted - waited)

    def take(self, now: float) -> bytes | str:
        """Return the input that waits, which is sent now.

        Raises
        ------
        LookupError
            Where nothing waits.
        """
        frame, self._frame = self._frame, None
        if frame is None:
            raise LookupError("nothing waits")
        if self._in_flight is not None and self.unanswered >= self._in_flight:
            self.unanswered = 0  # whoever is waited for this long is not waited for any more
        self.note_sent(now)
        return frame

    def note_sent(self, now: float) -> None:
        """Take note of an input that goes out."""
        self._taken_at = now
        self.unanswered += 1

    def answered(self) -> None:
        """Take note of an answer."""
        self.unanswered = max(0, self.unanswered - 1)

    def restart(self) -> None:
        """Begin a new connection: what was unanswered stays so."""
        self.unanswered = 0
        self._taken_at = None

    def drop(self) -> bool:
        """Forget the input that waits; return whether there was one."""
        frame, self._frame = self._frame, None
        return frame is not None
