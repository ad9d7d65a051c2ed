"""The text of a stream, put together from its events: each repeats what was said before, or goes on from there."""

from __future__ import annotations

from typing import Any

from fal_nb.protocol.status import JSON

__all__ = ["StreamText", "text_of"]

_NAMES = ("output", "text", "generated_text", "results", "description")


class StreamText:
    """All text so far.

    Attributes
    ----------
    text
        Of a very long one the end, where a limit is given.
    is_in_pieces
        Whether the events said themselves that each holds only what is new.

    Parameters
    ----------
    limit
        Most characters kept; None keeps all.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.is_in_pieces = False
        self._limit = limit
        self._whole = ""
        self._pieces: list[str] = []
        self._repeats: bool | None = None

    @property
    def text(self) -> str:
        """All of it so far."""
        if self._pieces:
            self._whole += "".join(self._pieces)
            self._pieces.clear()
            if self._limit is not None:
                self._whole = self._whole[-self._limit :]
        return self._whole

    def take(self, event: JSON) -> None:
        """Take in one event."""
        text, is_piece = text_of(event)
        if not text:
            return
        if is_piece:
            self.is_in_pieces = True
            self._pieces.append(text)
            return
        known = self.text
        if self._repeats is None and known:
            self._repeats = text.startswith(known)
        if self._repeats is False and not text.startswith(known):
            self._pieces.append(text)
        else:
            self._whole = text if self._limit is None else text[-self._limit :]


def text_of(event: JSON) -> tuple[str, bool]:
    """Return the text of an event, empty where it has none, and whether it says itself to be a piece.

    Source of the pieces: OpenAI's chat completion chunks, which fal's compatible endpoints answer with.
    """
    if not isinstance(event, dict):
        return "", False
    for name in _NAMES:
        value = event.get(name)
        if isinstance(value, str) and value:
            return value, False
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, dict):
        for name, is_piece in (("delta", True), ("message", False)):
            content = _content(first.get(name))
            if content:
                return content, is_piece
    return "", False


def _content(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""
