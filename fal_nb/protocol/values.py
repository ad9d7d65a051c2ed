"""Numbers and moments as the platform writes them: what is none of them counts as not said."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

__all__ = ["moment_in", "number_in"]

_LONGEST = 64


def number_in(value: Any, *, is_signed: bool = False) -> float | None:
    """Return a finite number that is not below zero, or any finite one where it may have a sign; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and (is_signed or number >= 0) else None


def moment_in(value: Any) -> float | None:
    """Return Unix seconds for an ISO 8601 text, in UTC where it says no zone; else None."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
