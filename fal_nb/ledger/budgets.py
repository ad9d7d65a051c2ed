"""Budgets in the ledger: what calls hold is summed and the next record inserted in one transaction.

Its one invariant: however many threads and kernels reserve at once, the sum of what a budget's records have cost or
still hold never passes its amount, except by a call that cost more than was reserved for it, which stops the budget.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from fal_nb.errors import BudgetError, ConfigError
from fal_nb.ledger.database import Database
from fal_nb.ledger.records import NewRecord
from fal_nb.ledger.rows import insert_record

__all__ = ["CURRENCY", "Budgets", "Limit", "ScopeKind", "Spending", "amount_of", "money", "start_of_day"]

ScopeKind: TypeAlias = Literal["call", "session", "daily", "sweep"]
CURRENCY = "USD"
"""What budgets are in; fal's price list knows no other. A call priced otherwise counts as unpriced."""

_ROUNDING = 1e-9
_MILLIONTHS, _UNIT = 10**6, 10**14
"""Money is added up in whole parts of a dollar: floats would add up their rounding."""
_NAMES: dict[ScopeKind, str] = {
    "call": "max_cost of this call",
    "session": "session's budget",
    "daily": "daily budget of all kernels",
    "sweep": "sweep's budget",
}
_HOW: dict[ScopeKind, str] = {
    "call": "Ask for less, or allow more with max_cost (--max-cost)",
    "session": "Ask for less, or set another budget: %config FalMagics.budget = …",
    "daily": "Ask for less, or set another budget: %config FalMagics.daily_budget = …",
    "sweep": "Ask for less, or give the sweep another budget",
}
# What a record takes of its budgets: its cost once that is known, nothing where it provably was not charged, else what
# was held back for it, as for one that ran and whose result nobody fetched in time; for one of the time before there
# was a budget, what it was expected to cost at most.
_HELD = "COALESCE(reserved, estimate_high, estimate_low, 0)"
_IS_FREE = (
    "(state = 'SKIPPED' OR (state = 'FAILED' AND error_type IS NOT 'result_gone') "
    "OR (state = 'CANCELLED' AND started IS NULL AND cancel IS NOT 'CANCELLATION_REQUESTED'))"
)
# Dollars, millionths and what is left by themselves, so that each is a whole number that SQLite adds exactly.
_MILLIONTHS_OF = f"CAST(round(({{0}} - CAST({{0}} AS INTEGER)) * {_MILLIONTHS}.0) AS INTEGER)"
_EXACT = (
    "COALESCE(sum(CAST({0} AS INTEGER)), 0), "
    f"COALESCE(sum({_MILLIONTHS_OF}), 0), "
    f"COALESCE(sum(CAST(round(({{0}} - CAST({{0}} AS INTEGER) - {_MILLIONTHS_OF} / {_MILLIONTHS}.0) * {_UNIT}.0) "
    "AS INTEGER)), 0)"
)
_SUMS = (
    f"SELECT {_EXACT.format('cost')}, {_EXACT.format('held')} FROM ("  # noqa: S608 - our names
    f"SELECT cost, CASE WHEN cost IS NOT NULL OR {_IS_FREE} THEN 0 ELSE {_HELD} END AS held "
    "FROM records WHERE {scope} AND (backend = 'simulator') = ? AND COALESCE(currency, 'USD') = 'USD')"
)
_SCOPES: dict[ScopeKind, str] = {"session": "session = ?", "daily": "created >= ?", "sweep": "sweep = ?"}


@dataclass(frozen=True, slots=True)
class Limit:
    """One budget that a call is held to.

    Attributes
    ----------
    key
        What its records have in common: the session's or the sweep's name; the beginning of the day, Unix seconds.
    since
        When the amount was set, Unix seconds: what cost more than was reserved before then is forgiven.
    """

    kind: ScopeKind
    amount: float
    key: str | float = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Spending:
    """What the calls of one scope have cost and hold, in US dollars.

    Attributes
    ----------
    spent
        Of calls whose cost is known.
    reserved
        Held for those that are open, lost, or ended without telling what they cost.
    budget
        None where there is none.
    stopped_by
        Number of the record that cost more than was reserved for it, which stopped the budget; else None.
    """

    scope: ScopeKind
    spent: float
    reserved: float
    budget: float | None = None
    stopped_by: int | None = None

    @property
    def left(self) -> float | None:
        """What further calls may cost; None where there is no budget. Below 0 after a call that cost too much."""
        return None if self.budget is None else _less(self.budget, self.spent, self.reserved)

    def __str__(self) -> str:
        text = f"{self.scope}: {money(self.spent)} {CURRENCY} spent, {money(self.reserved)} reserved"
        if self.budget is None or self.left is None:
            return text
        text += f", {money(max(self.left, 0.0))} left of {money(self.budget)}"
        return text if self.stopped_by is None else f"{text}; stopped by #{self.stopped_by}"


class Budgets:
    """The budgets of one history file; every method blocks, well under a millisecond by itself.

    Parameters
    ----------
    database
        The history's.
    clock
        Unix time in seconds.

    Raises
    ------
    HistoryError
        From every method, where the file cannot be read or written.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, record: NewRecord, limits: Sequence[Limit] = (), *, allow_unpriced: bool = False) -> tuple[int, bool]:
        """Write down an intent if every budget has room for its high estimate, in one transaction.

        The daily budget is always among them.

        Returns
        -------
        tuple
            The number of the record, and whether something was reserved for it.

        Raises
        ------
        BudgetError
            Where one has not, or is stopped, or nothing bounds what the call costs; nothing was written.
        """
        with self._database.writing() as connection:
            in_force = [*limits, *self._daily_limit(connection)]
            high = record.estimate_high if (record.currency or CURRENCY) == CURRENCY else None
            for limit in in_force:
                _check(connection, limit, record, high, allow_unpriced=allow_unpriced)
            if in_force:
                record = replace(record, reserved=high)
            return insert_record(connection, record), record.reserved is not None

    def daily(self) -> float | None:
        """Return the daily budget of all kernels, or None."""
        with self._database.reading() as connection:
            found = _stored(connection)
        return None if found is None else found[0]

    def set_daily(self, amount: float | None) -> None:
        """Set the daily budget of all kernels; None takes it away. Another amount than before lifts a stop.

        Raises
        ------
        ConfigError
            Where it is no amount of money.
        """
        amount = amount_of(amount, "A daily budget")
        with self._database.writing() as connection:
            if amount is None:
                connection.execute("DELETE FROM budgets WHERE scope = 'daily'")
            elif (_stored(connection) or (None, 0.0))[0] != amount:
                connection.execute(
                    "INSERT OR REPLACE INTO budgets (scope, amount, set_at) VALUES ('daily', ?, ?)",
                    (amount, self._clock()),
                )

    def daily_limit(self) -> Limit | None:
        """Return the daily budget as of now, or None where there is none."""
        with self._database.reading() as connection:
            return next(iter(self._daily_limit(connection)), None)

    def spending(self, limit: Limit | None, kind: ScopeKind, key: str | float, *, is_simulated: bool) -> Spending:
        """Return what one scope has spent and holds.

        Parameters
        ----------
        limit
            Its budget, or None.
        key
            As in `Limit`.
        is_simulated
            Whether the simulator's calls are meant; they never count against what is billed.
        """
        with self._database.reading() as connection:
            spent, held = _sums(connection, kind, key, is_simulated=is_simulated)
            stopped = None if limit is None else _overrun(connection, limit, is_simulated=is_simulated)
        return Spending(kind, spent, held, None if limit is None else limit.amount, stopped and stopped[0])

    def _daily_limit(self, connection: sqlite3.Connection) -> list[Limit]:
        found = _stored(connection)
        return [] if found is None else [Limit("daily", found[0], start_of_day(self._clock()), found[1])]


def start_of_day(now: float) -> float:
    """Return when the person's local day began, in Unix seconds."""
    return dt.datetime.combine(dt.datetime.fromtimestamp(now).date(), dt.time()).timestamp()  # noqa: DTZ006 - local on purpose


def amount_of(value: Any, what: str) -> float | None:
    """Return an amount of money as a number; None stays None.

    Raises
    ------
    ConfigError
        Where it is none.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ConfigError(f"{what} is an amount in {CURRENCY}, 0 or more, or None; not {value!r:.40}.")
    return float(value)


def money(amount: float) -> str:
    """Return an amount with two decimals, with up to six where it takes them to tell it."""
    whole, _, part = f"{amount:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def _check(
    connection: sqlite3.Connection, limit: Limit, record: NewRecord, high: float | None, *, allow_unpriced: bool
) -> None:
    is_simulated = record.backend == "simulator"
    spent = held = 0.0
    if limit.kind != "call":
        overrun = _overrun(connection, limit, is_simulated=is_simulated)
        if overrun is not None:
            raise _stopped(limit, record, high, overrun)
        spent, held = _sums(connection, limit.kind, limit.key, is_simulated=is_simulated)
    left = _less(limit.amount, spent, held)
    if high is None and not allow_unpriced:
        raise BudgetError(
            f"Nothing bounds what {record.endpoint} would cost, and the {_NAMES[limit.kind]} of {money(limit.amount)} "
            f"{CURRENCY} is in force: fal.price says why; allow_unpriced=True (--allow-unpriced) sends it all the "
            "same. Nothing was sent.",
            scope=limit.kind,
            needed=None,
            left=left,
            endpoint=record.endpoint,
        )
    if (left <= _ROUNDING) if high is None else (high > left + _ROUNDING):
        raise _too_much(limit, record, high, spent, held)


def _too_much(limit: Limit, record: NewRecord, high: float | None, spent: float, held: float) -> BudgetError:
    left = _less(limit.amount, spent, held)
    costs = "costs nobody knows how much" if high is None else f"would cost up to {money(high)} {CURRENCY}"
    rest = f"{money(max(left, 0.0))} of the {_NAMES[limit.kind]} of {money(limit.amount)} are left"
    if limit.kind == "call":
        rest = f"the {_NAMES['call']} is {money(limit.amount)}"
    else:
        rest += f" ({money(spent)} spent, {money(held)} reserved)"
    return BudgetError(
        f"{record.endpoint} {costs}, and {rest}. {_HOW[limit.kind]}. Nothing was sent.",
        scope=limit.kind,
        needed=high,
        left=left,
        endpoint=record.endpoint,
    )


def _stopped(limit: Limit, record: NewRecord, high: float | None, overrun: tuple[int, float, float]) -> BudgetError:
    number, reserved, cost = overrun
    return BudgetError(
        f"The {_NAMES[limit.kind]} is stopped: #{number} cost {money(cost)} {CURRENCY}, more than the "
        f"{money(reserved)} reserved for it. Look at it, then set another amount to go on. Nothing was sent.",
        scope=limit.kind,
        needed=high,
        left=0.0,
        endpoint=record.endpoint,
    )


def _sums(
    connection: sqlite3.Connection, kind: ScopeKind, key: str | float, *, is_simulated: bool
) -> tuple[float, float]:
    """Return (what was spent, what is held) of a scope's records."""
    sums = connection.execute(_SUMS.format(scope=_SCOPES[kind]), (key, is_simulated)).fetchone()
    return _dollars(*sums[:3]), _dollars(*sums[3:])


def _dollars(whole: int, millionths: int, parts: int) -> float:
    return (whole * _UNIT + millionths * (_UNIT // _MILLIONTHS) + parts) / _UNIT


def _less(amount: float, *taken: float) -> float:
    """Return what is left of an amount, as it would be written down."""
    return float(Decimal(repr(amount)) - sum(Decimal(repr(each)) for each in taken))


def _overrun(connection: sqlite3.Connection, limit: Limit, *, is_simulated: bool) -> tuple[int, float, float] | None:
    """Return (record, reserved, cost) of the first call that cost more than was reserved since the budget was set."""
    found = connection.execute(
        "SELECT o.record_id, o.reserved, o.cost FROM overruns o JOIN records r ON r.id = o.record_id "  # noqa: S608
        f"WHERE r.{_SCOPES[limit.kind]} AND o.at >= ? AND (r.backend = 'simulator') = ? ORDER BY o.record_id LIMIT 1",
        (limit.key, limit.since, is_simulated),
    ).fetchone()
    return None if found is None else (int(found[0]), float(found[1]), float(found[2]))


def _stored(connection: sqlite3.Connection) -> tuple[float, float] | None:
    """Return (amount, when it was set) of the daily budget."""
    found = connection.execute("SELECT amount, set_at FROM budgets WHERE scope = 'daily'").fetchone()
    return None if found is None else (float(found[0]), float(found[1]))
