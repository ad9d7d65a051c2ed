"""Names of exported files: from what varies, so that a person finds one by looking; safe on every disk, each once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from fal_nb.artifacts.naming import name_part
from fal_nb.sweeps.values import show

__all__ = ["Names", "speaking_name"]

_MOST_CHARS = 120
_MOST_BYTES = 180
"""A disk ends a name after 255 bytes; extension, number and the name of a half-written file need room, too."""
_LEAST_CHARS = 14
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}\Z")
_BLANKS = re.compile(r"[\s,;'`$&!()\[\]{}#%^~]+")
"""What a shell would take apart or run: nothing of it helps to tell one file from another."""
_RUNS = re.compile(r"[-_]{2,}")


def speaking_name(labels: Mapping[str, Any], otherwise: str) -> str:
    """Return ``animal=fox_seed=1`` for what varies, without extension; `otherwise`, made safe, where nothing does."""
    if not labels:
        return _safe(otherwise, _MOST_CHARS)
    room = max(_LEAST_CHARS, _MOST_CHARS // len(labels) - 1)
    name = "_".join(_safe(f"{name}={show(value, 4 * room)}", room) for name, value in labels.items())
    return _safe(name, _MOST_CHARS)


class Names:
    """Gives names out, each once, also for a disk that takes ``Fox`` and ``fox`` for the same.

    Parameters
    ----------
    taken
        Names that are never given out.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {_folded(name) for name in taken}

    def give(self, stem: str, extension: str) -> str:
        """Return the stem with its extension, with ``-2``, ``-3`` between them where that is taken."""
        extension = extension if _EXTENSION.match(extension) else ".bin"
        number = 1
        while _folded(name := f"{stem}{'' if number == 1 else f'-{number}'}{extension}") in self._taken:
            number += 1
        self._taken.add(_folded(name))
        return name


def extension_of(file_name: str) -> str:
    """Return the extension of a name, with its dot."""
    return PurePosixPath(file_name).suffix


def _safe(text: str, most: int) -> str:
    part = "".join(char if char.isprintable() else "_" for char in name_part(text[: 4 * most]))
    part = _RUNS.sub("-", _BLANKS.sub("-", part))[:most]
    part = part.encode()[:_MOST_BYTES].decode("utf-8", "ignore").strip(" .-")
    return name_part(part) if part else "output"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
