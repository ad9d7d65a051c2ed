"""Log lines: each shown once and in order, and the progress that real endpoints print into them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["LogMerger", "Progress", "read_progress"]

Progress = tuple[int, int]
"""(steps done, steps in all)."""

_BAR = re.compile(r"(\d{1,3})%\|[^|]{0,200}\|\s{0,20}(\d{1,9})/(\d{1,9})")
_STEP = re.compile(r"\bsteps?\s{0,9}[:#]?\s{0,9}(\d{1,9})\s{0,9}(?:/|of)\s{0,9}(\d{1,9})\b", re.IGNORECASE)
_LOOKED_AT_CHARS = 5_000


class LogMerger:
    """Joins log lists that may be cumulative (polling), partial (event stream) or late.

    Entries with a time stamp are told apart by (time stamp, message): a list that repeats them adds nothing,
    while one list holding the same pair twice counts as two lines. Entries without a time stamp are taken
    as new unless the list begins with all that was seen before.
    """

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._bare: list[str] = []

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All entries so far, ordered by time stamp."""
        return self._lines

    def add(self, logs: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
        """Take in one list and return the entries that are new, oldest first."""
        batch = list(logs or ())
        bare = [str(entry["message"]) for entry in batch if not entry.get("timestamp")]
        skip_bare = len(self._bare) if self._bare and bare[: len(self._bare)] == self._bare else 0
        seen_bare = 0
        seen: Counter[tuple[str, str]] = Counter()
        new = []
        for entry in batch:
            stamp = entry.get("timestamp")
            if stamp:
                key = (str(stamp), str(entry["message"]))
                seen[key] += 1
                if seen[key] <= self._counts[key]:
                    continue
                self._counts[key] += 1
            else:
                seen_bare += 1
                if seen_bare <= skip_bare:
                    continue
                self._bare.append(str(entry["message"]))
            new.append(dict(entry))
        self._insert(new)
        return new

    def _insert(self, new: list[dict[str, Any]]) -> None:
        late = bool(new and self._lines) and _stamp(new[0]) < _stamp(self._lines[-1])
        self._lines.extend(new)
        if late and all(entry.get("timestamp") for entry in self._lines):
            self._lines.sort(key=_stamp)


def read_progress(message: str) -> Progress | None:
    """Return the last step count a log line shows (``46%|███ | 13/28``, ``step 3/28``), or None."""
    found = None
    message = message[-_LOOKED_AT_CHARS:]
    for match in _BAR.finditer(message):
        found = (int(match[2]), int(match[3]))
    if found is None:
        for match in _STEP.finditer(message):
            found = (int(match[1]), int(match[2]))
    if found is None or not 0 <= found[0] <= found[1] or found[1] == 0:
        return None
    return found


def _stamp(entry: Mapping[str, Any]) -> str:
    return str(entry.get("timestamp") or "")
