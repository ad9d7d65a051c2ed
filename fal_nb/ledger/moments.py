"""Moments as people write them: a date, an age, a text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from fal_nb.errors import HistoryError

__all__ = ["Since", "moment"]

Since: TypeAlias = datetime | date | timedelta | float | str
"""A moment, a length of time before now, Unix seconds, or a text: ``2h``, ``today``, an ISO date or time."""

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)\Z")
_UNIT_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def moment(since: Since, now: float) -> float:
    """Return Unix seconds; times without a zone are local ones.

    Raises
    ------
    HistoryError
        Where a text is no time.
    """
    if isinstance(since, timedelta):
        return now - since.total_seconds()
    if isinstance(since, (int, float)):
        return float(since)
    if isinstance(since, str):
        return _moment_in(since, now)
    if not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day).astimezone()
    return since.timestamp()


def _moment_in(text: str, now: float) -> float:
    ago = _AGO.match(text.strip().lower())
    if ago:
        return now - float(ago[1]) * _UNIT_S[ago[2]]
    local = datetime.fromtimestamp(now, tz=UTC).astimezone()
    if text.strip().lower() == "today":
        return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise HistoryError(
            f"{text[:80]!r} is not a time: write 30m, 2h, 3d, today, 2026-01-31 or 2026-01-31T10:00."
        ) from None
