"""A call on its way to the ledger: everything that is known of it before it is sent, written down in one commit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from fal_nb.client.lifecycle import lifecycle_header
from fal_nb.client.options import DEFAULTS, CallOptions
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.errors import FalError
from fal_nb.protocol.status import JSON
from fal_nb.states import Kind, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fal_nb.ledger.budgets import Limit
    from fal_nb.ledger.store import HistoryStore
    from fal_nb.settings import Settings

__all__ = ["NO_TERMS", "Intent", "Place", "Terms", "read_options", "write_options", "write_record"]

Place: TypeAlias = tuple[str | None, str | None]
"""(notebook, cell) a call is made from."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a call may cost, besides the budgets that are in force anyway.

    Attributes
    ----------
    max_cost
        The most it may cost, in US dollars.
    allow_unpriced
        Whether it goes under a budget although nothing bounds what it costs.
    sweep_budget
        What all calls of its record's sweep may cost together.
    """

    max_cost: float | None = None
    allow_unpriced: bool = False
    sweep_budget: float | None = None


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Intent:
    """A call before it is sent.

    Attributes
    ----------
    arguments
        JSON, with local files by name.
    has_files
        Whether there are any, so that it cannot be sent from its record yet.
    request_id
        Known beforehand only where a request made elsewhere is followed.
    more
        Further columns of its record: estimate, reservation, memo key, tags and so on.
    terms
        What it may cost.
    size_of
        Tells width and height of the picture that an input is, where this machine knows; may block for its head.
    """

    endpoint: str
    arguments: dict[str, Any]
    kind: Kind = "queue"
    options: CallOptions = DEFAULTS
    has_files: bool = False
    request_id: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    terms: Terms = NO_TERMS
    size_of: Callable[[str], tuple[int, int] | None] | None = None


def write_record(
    history: HistoryStore,
    settings: Settings,
    intent: Intent,
    *,
    place: Place,
    owner: str,
    limits: Sequence[Limit] = (),
) -> JobSnapshot:
    """Commit the record of a call and return the snapshot that stands for it; blocks.

    Parameters
    ----------
    limits
        Budgets it is held to, besides the daily one; a request that exists already is held to none.

    Raises
    ------
    BudgetError
        Where one has no room for it.
    HistoryError
        Where it cannot be written: the call must then not be sent.
    """
    from fal_nb.ledger.budgets import Budgets  # noqa: PLC0415 - with the history, at first use
    from fal_nb.ledger.records import NewRecord  # noqa: PLC0415 - with the history, at first use

    created = time.time()
    state: State = "PREPARED" if intent.request_id is None else "QUEUED"
    record = NewRecord(
        endpoint=intent.endpoint,
        arguments=intent.arguments,
        backend=settings.backend,
        base_url=settings.hosts.base,
        kind=intent.kind,
        state=state,
        request_id=intent.request_id,
        created=created,
        notebook=place[0],
        cell=place[1],
        owner=owner,
        session=owner,
        options=(write_options(intent.options) | ({"files": True} if intent.has_files else {})) or None,
        **intent.more,
    )
    if intent.request_id is None:
        record_id, is_held = Budgets(history.database).add(record, limits, allow_unpriced=intent.terms.allow_unpriced)
    else:
        record_id, is_held = history.add(record), False
    high = intent.more.get("estimate_high")
    return JobSnapshot(
        record_id=record_id,
        endpoint=intent.endpoint,
        backend=settings.backend,
        kind=intent.kind,
        state=state,
        arguments=intent.arguments,
        created=created,
        request_id=intent.request_id,
        estimate=high,
        reserved=high if is_held else None,
        unit_price=intent.more.get("unit_price"),
        currency=intent.more.get("currency"),
    )


def write_options(options: CallOptions) -> dict[str, JSON]:
    """Return options as the record holds them, without those that are as usual; of headers the names alone.

    A header or a webhook's address can hold anything, a secret too, so that neither goes to the disk.

    Raises
    ------
    ConfigError
        Where an option has a value the service does not take.
    """
    options.query()
    options.wire_headers()
    usual = CallOptions()
    kept: dict[str, JSON] = {}
    for item in fields(options):
        value = getattr(options, item.name)
        if value == getattr(usual, item.name) or item.name == "withdrawal":
            continue
        if item.name == "headers":
            kept["headers"] = sorted(value)
        elif item.name == "webhook_url":
            kept["webhook"] = True
        elif item.name == "lifecycle":
            kept["lifecycle"] = lifecycle_header(value)
        else:
            kept[item.name] = dict(value) if isinstance(value, Mapping) else value
    return kept


def read_options(kept: Mapping[str, JSON] | None) -> CallOptions | None:
    """Return the options a record holds, or None where they cannot be had back: headers, and what nobody knows."""
    known = {item.name for item in fields(CallOptions)} - {"headers", "lifecycle", "webhook_url", "withdrawal"}
    values = dict(kept or {})
    if not values.keys() <= known:
        return None
    try:
        options = CallOptions(**values)
        write_options(options)
    except (FalError, TypeError, ValueError):
        return None
    return options
