"""What of a record can be selected and filtered by name, and what a name that is none of it stands for: an argument."""

from __future__ import annotations

from collections.abc import Mapping

from fal_nb.ledger.records import RECORD_COLUMNS

__all__ = ["ARGUMENT_PREFIX", "COLUMNS", "MOMENTS", "argument_name"]

ARGUMENT_PREFIX = "arg_"
"""Stands before an argument whose name is that of a column of ours."""

COLUMNS: Mapping[str, str] = {name: f"r.{name}" for name in RECORD_COLUMNS} | {
    "record": "r.id",
    "arguments": "p.arguments",
    "total_s": "r.ended - r.created",
    "estimate": "COALESCE(r.estimate_high, r.estimate_low)",
    "prompt": "COALESCE(json_extract(p.arguments, '$.prompt'), json_extract(p.arguments, '$.text'))",
    "seed": "COALESCE(json_extract(p.arguments, '$.seed'), r.result_seed)",
}
"""Name → SQL over ``records r`` and ``payloads p``."""

MOMENTS = frozenset({"created", "updated", "submitted", "started", "ended"})
"""Columns that hold Unix seconds, and are filtered by dates and ages, too."""


def argument_name(column: str) -> str | None:
    """Return the argument a filter's name stands for, or None where it is a column of ours."""
    return None if column in COLUMNS else column.removeprefix(ARGUMENT_PREFIX)
