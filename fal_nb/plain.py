"""Text from models, logs and servers made fit to be shown: nothing in it can move a cursor or turn a line around.

Every rendering passes through here; what is stored and what code gets stays as it came.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["is_plain", "one_line", "plain_text", "shown"]

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]P^_X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, clipboard
    r"|\x1b[ -/]*[0-~]?"
)
"""What a terminal takes for commands. Source: ECMA-48 section 5."""
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
"""Control characters but tab and newline, those that turn the direction of text, halves of characters."""
_BREAKS = re.compile("\r\n|[\x0b\x0c\x85\u2028\u2029]")


def is_plain(text: str) -> bool:
    """Return whether `plain_text` would leave a text as it is."""
    return _UNFIT.search(text) is None


def plain_text(text: str, limit: int | None = None) -> str:
    """Return a text as a terminal would leave it: no commands, no control characters but tab and newline.

    Of a line that a carriage return begins anew only the end stays.

    Parameters
    ----------
    limit
        Most characters of it.
    """
    if limit is not None and len(text) > limit:
        # Commands are cut away, too, so that a little more is looked at than is shown.
        return _cut(plain_text(text[: 2 * limit]), limit)
    if is_plain(text):
        return text
    text = _BREAKS.sub("\n", _ESCAPES.sub("", text))
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _UNFIT.sub("\ufffd", text)


def one_line(text: str, limit: int | None = None) -> str:
    """Return the same with every run of white space as one space."""
    if limit is not None:
        text = text[: 4 * limit]
    words = " ".join(plain_text(text).split())
    return words if limit is None else _cut(words, limit)


def shown(value: Any) -> Any:
    """Return a value of a table: a text as it may be shown, anything else as it is."""
    return plain_text(value) if isinstance(value, str) else value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
