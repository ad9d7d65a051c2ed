"""What the simulator was asked and what it accepted, so that a test can hold a client to one charge a call."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Counters", "Ledger", "LedgerEntry", "Via"]

Via: TypeAlias = Literal["queue", "run", "stream", "realtime"]
"""How a call came in."""


@dataclass(slots=True)
class LedgerEntry:
    """One accepted call.

    Attributes
    ----------
    accepted_at
        UTC, ISO 8601.
    ended_at
        The same, or None while it is open.
    status_code
        What its result answers, or None while it is open.
    billable_units
        Units charged; None while it is open, 0 for what is not charged.
    unit_price
        In `currency` a unit.
    """

    request_id: str
    endpoint: str
    via: Via
    accepted_at: str
    unit: str
    unit_price: float
    currency: str = "USD"
    ended_at: str | None = None
    status_code: int | None = None
    billable_units: float | None = None


class Ledger:
    """Every accepted call, in the order of acceptance."""

    def __init__(self) -> None:
        self._entries: dict[str, LedgerEntry] = {}

    def open(self, entry: LedgerEntry) -> None:
        """Add a call that was just accepted."""
        self._entries[entry.request_id] = entry

    def settle(self, request_id: str, *, ended_at: str, status_code: int, billable_units: float) -> None:
        """Close a call with what it came to; nothing where it was cleared meanwhile."""
        entry = self._entries.get(request_id)
        if entry is None:
            return
        entry.ended_at, entry.status_code, entry.billable_units = ended_at, status_code, billable_units

    def clear(self) -> None:
        """Forget every call."""
        self._entries.clear()

    def entries(self) -> list[dict[str, Any]]:
        """Return a copy as plain dictionaries."""
        return [asdict(entry) for entry in self._entries.values()]


class Counters:
    """HTTP requests by kind, in all and for each request id; a request counts when it arrives, whatever follows."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._by_request: dict[str, Counter[str]] = {}

    def count(self, kind: str, request_id: str | None = None) -> None:
        """Count one HTTP request."""
        self._all[kind] += 1
        if request_id is not None:
            self.count_for(kind, request_id)

    def count_for(self, kind: str, request_id: str) -> None:
        """Count for a request id only: a submission learns its id after it was counted."""
        self._by_request.setdefault(request_id, Counter())[kind] += 1

    def clear(self) -> None:
        """Begin at 0 again."""
        self._all.clear()
        self._by_request.clear()

    def totals(self) -> dict[str, int]:
        """Return counts by kind."""
        return dict(self._all)

    def of(self, request_id: str) -> dict[str, int]:
        """Return counts by kind for one request id; empty where it was never named."""
        return dict(self._by_request.get(request_id, {}))
