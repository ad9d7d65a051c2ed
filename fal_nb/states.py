"""Where a job is: the states of the project's own vocabulary, as against the wire's status words."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["FINAL_STATES", "OPEN_STATES", "Kind", "State"]

Kind: TypeAlias = Literal["queue", "direct", "stream", "realtime"]
"""How a call travels; a realtime session is one record."""

State: TypeAlias = Literal[
    "PREPARED", "SUBMITTING", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN", "SKIPPED"
]
"""``PREPARED`` (on disk, not sent), ``SUBMITTING`` (on its way), then as the names say; ``UNKNOWN`` was sent and
its answer lost; ``SKIPPED`` is a sweep's cell that a rule, a budget or a lock kept from being sent."""

OPEN_STATES: tuple[State, ...] = ("PREPARED", "SUBMITTING", "QUEUED", "RUNNING")
FINAL_STATES: tuple[State, ...] = ("SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN", "SKIPPED")
