"""What the ledger holds of one call, as frozen data; the names of its fields are the names of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from fal_nb.protocol.status import JSON
from fal_nb.states import OPEN_STATES, State

__all__ = [
    "NEW_COLUMNS",
    "PAYLOAD_COLUMNS",
    "RECORD_COLUMNS",
    "HistoryCheck",
    "Kind",
    "NewRecord",
    "Record",
    "Step",
]

Kind: TypeAlias = Literal["queue", "direct", "stream", "realtime"]
"""How a call travels; a realtime session is one record."""

PAYLOAD_COLUMNS = ("arguments", "result", "logs")
"""Fields kept in the table ``payloads``; all others are columns of ``records``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """What is known of a call before it is sent.

    Attributes
    ----------
    arguments
        The JSON as it will be sent.
    backend, base_url
        ``fal``, ``server``, ``proxy`` or ``simulator``, and the base URL where there is one.
    created
        Unix time in seconds, UTC.
    owner
        The session that follows the call, as long as its lease in the table ``sessions`` lasts.
    session
        The session that made the call; it stays where another one takes over.
    request_id
        Known beforehand only where a request made elsewhere is followed.
    reserved
        What a budget holds back for it, in `currency`; None where no budget was in force, or nothing bounds its cost.
    unit_price
        Of the unit that `billable_units` counts, in `currency`.
    input_digests
        SHA-256 of each uploaded input, by its URL.
    options
        What else was asked for: priority, hint, time limits.
    origin
        Where the call came from, if not from a person here: a file, an import.
    """

    endpoint: str
    arguments: JSON
    backend: str
    created: float
    kind: Kind = "queue"
    state: State = "PREPARED"
    request_id: str | None = None
    base_url: str | None = None
    notebook: str | None = None
    cell: str | None = None
    owner: str | None = None
    session: str | None = None
    schema_digest: str | None = None
    input_digests: Mapping[str, str] | None = None
    options: Mapping[str, JSON] | None = None
    estimate_low: float | None = None
    estimate_high: float | None = None
    reserved: float | None = None
    unit_price: float | None = None
    currency: str | None = None
    sweep: str | None = None
    sweep_cell: str | None = None
    memo_key: str | None = None
    replay_of: int | None = None
    origin: str | None = None
    tags: Sequence[str] = ()
    note: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(NewRecord):
    """One call as the ledger knows it.

    Attributes
    ----------
    updated, submitted, started, ended
        Unix time in seconds, UTC.
    queue_s, inference_s
        Seconds waited, and seconds of processing as the endpoint reports it.
    result_seed
        The seed the result names; a text where it is no 64-bit number.
    logs
        The last lines; `log_count` says how many there were.
    """

    id: int
    updated: float
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    queue_s: float | None = None
    inference_s: float | None = None
    cost: float | None = None
    billable_units: float | None = None
    cancel: str | None = None
    error: str | None = None
    error_type: str | None = None
    next_step: str | None = None
    result_seed: int | str | None = None
    log_count: int = 0
    result: JSON = field(default=None, repr=False)
    logs: Sequence[str] | None = field(default=None, repr=False)

    @property
    def prompt(self) -> str | None:
        """The call's prompt, else its text argument."""
        return next((self.arguments[name] for name in ("prompt", "text") if _has_text(self.arguments, name)), None)

    @property
    def seed(self) -> JSON:
        """The seed asked for, else the one the result names."""
        asked = self.arguments.get("seed") if isinstance(self.arguments, dict) else None
        return self.result_seed if asked is None else asked

    @property
    def total_s(self) -> float | None:
        """Seconds from its creation to its end, or None while it goes on."""
        return None if self.ended is None else self.ended - self.created

    @property
    def estimate(self) -> float | None:
        """What it was expected to cost at most, in `currency`."""
        return self.estimate_low if self.estimate_high is None else self.estimate_high

    @property
    def is_open(self) -> bool:
        """Whether it has neither ended nor been lost."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a call's story: Unix time, the state it entered or was in, and what there is to say."""

    at: float
    state: State
    note: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """What `HistoryStore.verify` found.

    Attributes
    ----------
    problems
        One line each; empty where all is well.
    digests
        Every digest that something refers to: the artifacts of records, and inputs that were only in memory.
    """

    problems: tuple[str, ...]
    digests: frozenset[str]
    record_count: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


RECORD_COLUMNS = tuple(item.name for item in fields(Record) if item.name not in PAYLOAD_COLUMNS)
"""Columns of the table ``records``."""
NEW_COLUMNS = tuple(item.name for item in fields(NewRecord) if item.name not in PAYLOAD_COLUMNS)


def _has_text(arguments: JSON, name: str) -> bool:
    return isinstance(arguments, dict) and isinstance(arguments.get(name), str)
