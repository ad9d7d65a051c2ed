"""Incremental decoder of server-sent events: bytes in, events out, however the bytes were cut."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from fal_nb.errors import ProtocolError

__all__ = ["Event", "EventDecoder"]

_MAX_EVENT_CHARS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its data lines joined by newlines, its name (``message`` if none was given) and last id."""

    data: str
    event: str = "message"
    id: str = ""


class EventDecoder:
    """Turns bytes into events by the rules of the HTML standard.

    Comment lines (fal sends one every 15 s to keep the line open) give nothing.
    Source: HTML Living Standard 9.2.6 "Interpreting an event stream"; fal docs "Stream request status".
    """

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending: list[str] = []
        self._pending_chars = 0
        self._after_cr = False
        self._at_start = True
        self._data: list[str] = []
        self._size = 0
        self._event = ""
        self._id = ""

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events completed by `chunk`, oldest first.

        Raises
        ------
        ProtocolError
            Where one event grows over 64 MiB without ending.
        """
        text = self._utf8.decode(chunk)
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        if text.endswith("\r"):
            self._after_cr = True
        first, *lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        # Pieces of a line are joined when it ends: a long one would else be copied with every chunk.
        self._pending.append(first)
        self._pending_chars += len(first)
        if lines:
            lines.insert(0, "".join(self._pending))
            self._pending = [lines.pop()]
            self._pending_chars = len(self._pending[0])
        events = [self._take_line(line) for line in lines]
        self._check_size(self._pending_chars)
        return [event for event in events if event is not None]

    def _take_line(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
            self._check_size()
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _check_size(self, pending: int = 0) -> None:
        if self._size + pending > _MAX_EVENT_CHARS:
            raise ProtocolError("The server sent an event of over 64 MiB.")

    def _dispatch(self) -> Event | None:
        data, name = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        if not data:
            return None
        return Event("\n".join(data), name or "message", self._id)
