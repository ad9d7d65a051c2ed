"""Money: what a call will cost before it is sent, which budgets it is held to, what it cost once it has ended.

Its one invariant: an estimate never holds up a POST unless a budget is in force, and then no POST goes without one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fal_nb.engine.intent import write_record
from fal_nb.errors import BudgetError, FalError
from fal_nb.pricing.price import Price, price_of
from fal_nb.pricing.source_picture import source_picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fal_nb.engine.follower import Follower
    from fal_nb.engine.grounds import Grounds
    from fal_nb.engine.intent import Intent, Place, Terms
    from fal_nb.engine.live import LiveFollower
    from fal_nb.engine.snapshot import JobSnapshot
    from fal_nb.engine.wire import ClientWire
    from fal_nb.ledger.budgets import Budgets, Limit, Spending
    from fal_nb.pricing.unit import UnitPrice
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["Money", "called", "settlement"]

_CLOSE_S = 2.0
_PATIENCE_S = 20.0


class Money:
    """The session's money: estimates, budgets, spending. May be used from any thread; blocks where it says so."""

    def __init__(self, grounds: Grounds, get_wire: Callable[[], Awaitable[ClientWire]]) -> None:
        self._grounds = grounds
        self._get_wire = get_wire
        self._budget: float | None = None
        self._set_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: dict[int, Intent] = {}

    @property
    def budgets(self) -> Budgets:
        """The budgets of the history's file."""
        from fal_nb.ledger.budgets import Budgets  # noqa: PLC0415 - with the history, at first use

        return Budgets(self._grounds.history.database)

    @property
    def budget(self) -> float | None:
        """What the calls of this session may cost together, in US dollars; None where there is no budget.

        Another amount than before lifts a stop.
        """
        return self._budget

    @budget.setter
    def budget(self, amount: float | None) -> None:
        from fal_nb.ledger.budgets import amount_of  # noqa: PLC0415

        amount = amount_of(amount, "A session's budget")
        if amount != self._budget:
            self._budget, self._set_at = amount, time.time()

    def record(self, intent: Intent, place: Place) -> JobSnapshot:
        """Write down a call with its estimate, if every budget has room for it; blocks for a price only under one.

        Raises
        ------
        AccountLockedError
            Where fal refused an earlier call for want of balance.
        BudgetError
            Where a budget has no room, is stopped, or nobody knows what the call may cost.
        ConfigError
            Where a limit is no amount.
        HistoryError
            Where the record cannot be written: the call must then not be sent.
        """
        grounds, terms = self._grounds, intent.terms
        settings, wire = grounds.settings, grounds.open_wire
        if intent.request_id is None and wire is not None:
            wire.gate.check()
        limits = [] if intent.request_id is not None else self.limits(terms, intent.more.get("sweep"))
        must_know = bool(limits) or self.budgets.daily() is not None
        while True:
            columns = self._columns_of(intent, must_know=must_know)
            priced = replace(intent, more={**columns, **intent.more})
            try:
                snapshot = write_record(
                    grounds.history, settings, priced, place=place, owner=grounds.owner, limits=limits
                )
                break
            except BudgetError as error:
                # Another kernel may have set the daily budget a moment ago.
                if must_know or error.needed is not None:
                    raise
                must_know = True
        if intent.request_id is None and not columns:
            self._pending[snapshot.record_id] = intent
        return snapshot

    def limits(self, terms: Terms, sweep: str | None = None) -> list[Limit]:
        """Return the budgets a call is held to, without the daily one, which the ledger adds itself.

        Raises
        ------
        ConfigError
            Where a limit is no amount.
        """
        from fal_nb.ledger.budgets import Limit, amount_of  # noqa: PLC0415

        found = []
        most = amount_of(terms.max_cost, "max_cost")
        if most is not None:
            found.append(Limit("call", most))
        if self._budget is not None:
            found.append(Limit("session", self._budget, self._grounds.owner, self._set_at))
        of_sweep = amount_of(terms.sweep_budget, "A sweep's budget")
        if of_sweep is not None and sweep is not None:
            found.append(Limit("sweep", of_sweep, sweep))
        return found

    def spending(
        self, sweep: str | None = None, sweep_budget: float | None = None, *, is_simulated: bool | None = None
    ) -> dict[str, Spending]:
        """Return what was spent and is held, by scope: ``session``, ``daily``, and a sweep by its name; blocks."""
        from fal_nb.ledger.budgets import Limit, start_of_day  # noqa: PLC0415

        budgets, owner = self.budgets, self._grounds.owner
        if is_simulated is None:
            is_simulated = self._grounds.settings.backend == "simulator"
        own = None if self._budget is None else Limit("session", self._budget, owner, self._set_at)
        daily, today = budgets.daily_limit(), start_of_day(time.time())
        found = {
            "session": budgets.spending(own, "session", owner, is_simulated=is_simulated),
            "daily": budgets.spending(daily, "daily", today, is_simulated=is_simulated),
        }
        if sweep is not None:
            limit = None if sweep_budget is None else Limit("sweep", sweep_budget, sweep)
            found[sweep] = budgets.spending(limit, "sweep", sweep, is_simulated=is_simulated)
        return found

    def follow(self, follower: Follower | LiveFollower, path: str) -> None:
        """Fill in what a job's record lacks of estimate and price, in the background; on the loop."""
        snapshot = follower.snapshot
        intent = self._pending.pop(snapshot.record_id, None)
        if snapshot.unit_price is not None or snapshot.is_final:
            return
        task = asyncio.ensure_future(self._fill_in(follower, intent, called(snapshot.endpoint, path)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Give what is still being filled in a moment to come to its end; on the loop."""
        tasks = list(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CLOSE_S)
            for task in late:
                task.cancel()

    # -- inside ------------------------------------------------------------------------------------------

    def _columns_of(self, intent: Intent, *, must_know: bool) -> dict[str, Any]:
        """Return the columns of a call's estimate, empty where it is still to come.

        Parameters
        ----------
        must_know
            Whether to block for the price list, where it is not at hand.
        """
        if intent.request_id is not None:
            return {}
        price = self._price_at_hand(intent)
        if price is None and must_know:
            # What cannot be had leaves the call unpriced, and the budget says what to do about it.
            with contextlib.suppress(FalError, TimeoutError):
                price = self._asked_price(intent)
        return {} if price is None else _columns(price)

    def _price_at_hand(self, intent: Intent) -> Price | None:
        """Return the price where the list is fresh, else None; asks nobody."""
        wire, endpoint = self._grounds.open_wire, called(intent.endpoint, intent.options.path)
        known = None if wire is None else wire.prices.known(endpoint)
        if wire is None or known is None:
            return None
        schema = wire.schemas.peek(endpoint)
        if schema is None and known[0] is not None:
            return None
        return self._price(intent, known[0], schema)

    def _asked_price(self, intent: Intent) -> Price:
        endpoint = called(intent.endpoint, intent.options.path)

        async def ask() -> UnitPrice | None:
            return await (await self._get_wire()).prices.unit_price(endpoint)

        unit_price = self._grounds.runtime.call(ask(), _PATIENCE_S)
        return self._price(intent, unit_price, self._grounds.preflight.known_schema(endpoint))

    def _price(self, intent: Intent, unit_price: UnitPrice | None, schema: EndpointSchema | None) -> Price:
        """Return what a call will cost; looks at the picture and at the past only where they tell something."""
        endpoint = called(intent.endpoint, intent.options.path)
        name = source_picture(schema)
        picture = None if name is None or intent.size_of is None else intent.size_of(name)
        price = price_of(endpoint, unit_price, schema, intent.arguments, (), picture)
        if price.high is not None or unit_price is None:
            return price
        past = self._grounds.history.past_units(endpoint, backend=self._grounds.settings.backend)
        return price_of(endpoint, unit_price, schema, intent.arguments, past, picture) if past else price

    async def _fill_in(self, follower: Follower | LiveFollower, intent: Intent | None, endpoint: str) -> None:
        """Ask for the price, then write estimate and cost into the record; what fails leaves them open."""
        with contextlib.suppress(FalError):
            wire = await self._get_wire()
            unit_price = await wire.prices.unit_price(endpoint)
            if unit_price is None:
                return
            columns: dict[str, Any] = {"unit_price": unit_price.unit_price, "currency": unit_price.currency}
            if intent is not None:
                schema = await _schema(wire, endpoint)
                columns |= _columns(await asyncio.to_thread(self._price, intent, unit_price, schema))
            await follower.take_price(columns)


def called(endpoint: str, path: str) -> str:
    """Return the endpoint whose schema and price a call has: with its subpath, unless that only streams."""
    path = path.strip("/")
    return endpoint if path in {"", "stream"} else f"{endpoint}/{path}"


def settlement(snapshot: JobSnapshot, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cost of a job as far as it follows from what is known of it with these changes; else nothing.

    Nothing is charged for what fal never accepted; otherwise the cost is units times the price of one.
    """

    def now(name: str) -> Any:
        return changes[name] if name in changes else getattr(snapshot, name)

    found: dict[str, Any] = {}
    units, unit_price, cost = now("billable_units"), now("unit_price"), now("cost")
    if cost is None and units is not None and (unit_price is not None or units == 0):
        found["cost"] = cost = units * (unit_price or 0.0)
    elif cost is None and _was_never_accepted(now("kind"), now("state"), now("request_id")):
        found["cost"] = cost = 0.0
    reserved = snapshot.reserved
    if cost is not None and reserved is not None and cost > reserved + max(1e-6 * reserved, 1e-7):
        found["next_step"] = (
            f"It cost more than the {reserved:.6g} {snapshot.currency or 'USD'} reserved for it, so the budget it was "
            "made under is stopped: set another amount to go on."
        )
    return found


def _was_never_accepted(kind: str, state: str, request_id: str | None) -> bool:
    return kind == "queue" and request_id is None and state in {"FAILED", "CANCELLED", "SKIPPED"}


async def _schema(wire: ClientWire, endpoint: str) -> EndpointSchema | None:
    with contextlib.suppress(FalError):
        return await wire.schemas.schema(endpoint)
    return None


def _columns(price: Price) -> dict[str, Any]:
    """Return a price as columns; a lowest of 0 without a highest says nothing."""
    low = price.low if price.high is not None or price.low > 0 else None
    currency = None if price.unit_price is None else price.currency
    found = {"estimate_low": low, "estimate_high": price.high, "unit_price": price.unit_price, "currency": currency}
    return {name: value for name, value in found.items() if value is not None}
