"""What a stream has shown so far: its text as it grows, its newest picture. For cards; the events are the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fal_nb.artifacts import Artifact
from fal_nb.protocol.files import FileRef, find_files
from fal_nb.protocol.status import JSON
from fal_nb.protocol.stream_text import StreamText

if TYPE_CHECKING:
    from fal_nb.engine.contract import Streaming, Wire

__all__ = ["Partial", "Unfolding", "shown"]

_TICK_S = 0.1
_TEXT_CHARS = 200_000
_LARGEST_URL_CHARS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Partial:
    """One moment of a stream that has not ended.

    Attributes
    ----------
    count
        Events so far.
    text
        All of it so far, of a very long one the end.
    picture
        Its thumbnail is a small WebP, its ``index`` the number of the event; None while there is none.
    """

    count: int = 0
    text: str = ""
    picture: Artifact | None = None


class Unfolding:
    """Reduces events to `Partial`, at most ten a second; on the loop's thread.

    Of pictures only the newest is looked at, one at a time, so that a stream faster than its pictures can be had skips
    some. What cannot be shown is left out: the result is the authority.

    Parameters
    ----------
    publish
        Called with each new moment.
    look
        Fetches a file and returns what it is, with a thumbnail; may raise anything.
    """

    def __init__(self, publish: Callable[[Partial], None], look: Callable[[FileRef, int], Awaitable[Artifact]]) -> None:
        self._publish = publish
        self._look = look
        self._count = 0
        self._picture: Artifact | None = None
        self._text = StreamText(_TEXT_CHARS)
        self._next: tuple[FileRef, int] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, event: JSON) -> None:
        """Take in one event."""
        self._count = count = self._count + 1
        self._text.take(event)
        picture = next((ref for ref in find_files(event) if ref.kind == "image"), None)
        if picture is not None and len(picture.url) <= _LARGEST_URL_CHARS:
            self._next = picture, count
            if self._looking is None:
                self._looking = asyncio.ensure_future(self._look_at_newest())
        self._tell()

    async def close(self) -> None:
        """Publish what is still to be told, and then no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._tick()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look_at_newest(self) -> None:
        try:
            while self._next is not None:
                (ref, count), self._next = self._next, None
                try:
                    picture = await self._look(ref, count)
                except Exception:  # noqa: BLE001, S112 - a picture on the way is worth nothing but a look
                    continue
                if picture.thumbnail is not None:
                    self._picture = picture
                    self._tell()
        finally:
            self._looking = None

    def _tell(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._publish(Partial(self._count, self._text.text, self._picture))


@asynccontextmanager
async def shown(streaming: Streaming, wire: Wire, publish: Callable[[Partial], None]) -> AsyncIterator[Streaming]:
    """Give how a stream is to be read so that what has come so far is published, where that is wanted."""
    if not streaming.is_shown:
        yield streaming
        return
    unfolding = Unfolding(publish, wire.look)
    on_event = streaming.on_event

    def take(event: JSON) -> None:
        on_event(event)
        unfolding.take(event)

    try:
        yield replace(streaming, on_event=take)
    finally:
        await unfolding.close()
