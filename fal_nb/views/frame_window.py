"""``FrameWindow``: lets few frames of a live picture be on the way to a page, and of those that wait only the newest.

Its invariant: never more than `most` frames are sent that the page has not said it has shown. A page that is slow, or
gone, therefore costs one waiting frame and nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["FRAMES_AHEAD", "FrameWindow"]

FRAMES_AHEAD = 2
"""One that is being shown, one on the way: more add delay, and no frames a second."""
_STALE_S = 1.0
"""A page that has said nothing for so long, and then speaks, has lost what was on the way: its output was put anew."""


class FrameWindow:
    """The frames on their way to one view; on the loop's thread.

    Parameters
    ----------
    send
        Sends one frame, its number in the content under ``frame``.
    """

    def __init__(
        self,
        send: Callable[[Mapping[str, Any], bytes], None],
        *,
        most: int = FRAMES_AHEAD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._most = most
        self._clock = clock
        self._on_way: list[int] = []
        self._next: tuple[dict[str, Any], bytes] | None = None
        self._heard_at = clock()
        self.skipped = 0
        """Frames that a newer one has overtaken before they were sent."""

    @property
    def on_way(self) -> int:
        """How many frames the page has not shown yet."""
        return len(self._on_way)

    def offer(self, number: int, content: Mapping[str, Any], data: bytes) -> None:
        """Send a frame now, or as soon as the page has shown an earlier one, unless a newer one comes first."""
        self.skipped += self._next is not None
        self._next = {**content, "frame": number}, data
        self._go_on()

    def seen(self, number: int) -> None:
        """Take notice that the page has shown a frame, and with it all before it."""
        self._heard_at = self._clock()
        self._on_way = [each for each in self._on_way if each > number]
        self._go_on()

    def heard(self) -> None:
        """Take notice that a page is there, though it has not said that it has shown a frame."""
        if self._on_way and self._clock() - self._heard_at > _STALE_S:
            self.reset()

    def reset(self) -> None:
        """Forget what is on the way: the page has been made anew."""
        self._on_way.clear()
        self._heard_at = self._clock()
        self._go_on()

    def _go_on(self) -> None:
        if self._next is None or len(self._on_way) >= self._most:
            return
        (content, data), self._next = self._next, None
        if not self._on_way:
            self._heard_at = self._clock()
        self._on_way.append(content["frame"])
        self._send(content, data)
