"""Budgets in the ledger: what is reserved, what is spent, and what is refused."""

import datetime as dt

import pytest

from fal_nb.errors import BudgetError, ConfigError
from fal_nb.ledger.budgets import Budgets, Limit, start_of_day

OWNER = "kernel-1"


@pytest.fixture
def budgets(store):
    return Budgets(store.database)


@pytest.fixture
def call(budgets, new):
    """Reserve for one call of a session, and return its record's number."""

    def make(high, limit=1.0, *, session=OWNER, allow_unpriced=False, **changes):
        record = new(estimate_low=0.0, estimate_high=high, session=session, backend="fal", **changes)
        limits = [] if limit is None else [Limit("session", limit, session)]
        return budgets.add(record, limits, allow_unpriced=allow_unpriced)[0]

    return make


def spending(budgets, amount=1.0, *, is_simulated=False):
    limit = None if amount is None else Limit("session", amount, OWNER)
    return budgets.spending(limit, "session", OWNER, is_simulated=is_simulated)


def test_what_fits_is_reserved_and_what_does_not_is_refused_and_not_written(call, budgets, store):
    for _ in range(3):
        call(0.1, limit=0.3)
    with pytest.raises(BudgetError) as caught:
        call(0.1, limit=0.3)
    assert str(caught.value) == (
        "fal-ai/flux/dev would cost up to 0.10 USD, and 0.00 of the session's budget of 0.30 are left (0.00 spent, "
        "0.30 reserved). Ask for less, or set another budget: %config FalMagics.budget = …. Nothing was sent."
    )
    assert (caught.value.scope, caught.value.needed) == ("session", 0.1)
    assert store.count() == 3
    assert [record.reserved for record in store.select()] == [0.1] * 3


@pytest.mark.parametrize(
    ("changes", "spent", "reserved"),
    [
        ({"state": "SUBMITTING"}, 0.0, 0.4),
        ({"state": "RUNNING"}, 0.0, 0.4),
        ({"state": "SUCCEEDED", "cost": 0.25}, 0.25, 0.0),
        ({"state": "SUCCEEDED"}, 0.0, 0.4),
        ({"state": "UNKNOWN"}, 0.0, 0.4),
        ({"state": "FAILED"}, 0.0, 0.0),
        ({"state": "FAILED", "cost": 0.1}, 0.1, 0.0),
        ({"state": "FAILED", "error_type": "result_gone"}, 0.0, 0.4),
        ({"state": "SKIPPED"}, 0.0, 0.0),
        ({"state": "CANCELLED", "cancel": "OK"}, 0.0, 0.0),
        ({"state": "CANCELLED", "cancel": "CANCELLATION_REQUESTED"}, 0.0, 0.4),
        ({"state": "CANCELLED", "started": 5.0}, 0.0, 0.4),
        ({"state": "CANCELLED", "started": 5.0, "cost": 0.0}, 0.0, 0.0),
    ],
)
def test_what_a_call_takes_of_its_budget(call, budgets, store, changes, spent, reserved):
    store.update(call(0.4), **changes)
    found = spending(budgets)
    assert (found.spent, found.reserved) == (spent, reserved)
    assert found.left == pytest.approx(1.0 - spent - reserved)


def test_an_unpriced_call_needs_a_word_and_something_left(call, budgets, store):
    with pytest.raises(BudgetError, match=r"Nothing bounds what .* allow_unpriced=True"):
        call(None)
    number = call(None, allow_unpriced=True)
    assert store.get(number).reserved is None
    store.update(number, state="SUCCEEDED", cost=1.5)
    # It was let through on purpose, so it stops nothing; it is spent all the same.
    assert spending(budgets).stopped_by is None
    with pytest.raises(BudgetError, match=r"0\.00 of the session's budget of 1\.00 are left \(1\.50 spent"):
        call(None, allow_unpriced=True)


def test_a_price_in_another_currency_counts_as_none(call):
    with pytest.raises(BudgetError, match="Nothing bounds"):
        call(0.1, currency="EUR")


def test_a_call_of_its_own_limit_is_held_to_it_alone(budgets, new):
    with pytest.raises(BudgetError, match=r"would cost up to 0\.20 USD, and the max_cost of this call is 0\.10"):
        budgets.add(new(estimate_high=0.2), [Limit("call", 0.1)])
    budgets.add(new(estimate_high=0.1), [Limit("call", 0.1)])


def test_an_actual_above_its_high_is_recorded_and_stops_the_budget_until_another_is_set(call, budgets, store, new):
    first, second = call(0.2), call(0.2)
    store.update(first, state="SUCCEEDED", cost=0.2 + 1e-9)
    call(0.1)
    store.update(second, state="SUCCEEDED", cost=0.25)
    assert store.get(second).cost == 0.25
    with pytest.raises(BudgetError, match=rf"is stopped: #{second} cost 0\.25 USD, more than the 0\.20 reserved"):
        call(0.1)
    assert spending(budgets).stopped_by == second
    later = Limit("session", 2.0, OWNER, since=store.get(second).updated + 1)
    budgets.add(new(estimate_high=0.1, session=OWNER, backend="fal"), [later])


def test_what_was_sent_before_there_was_a_budget_counts_by_its_estimate(call, budgets, store):
    store.update(call(0.7, limit=None), state="RUNNING")
    assert spending(budgets).reserved == 0.7
    with pytest.raises(BudgetError):
        call(0.4)


def test_sessions_and_sweeps_have_budgets_of_their_own(call, budgets, new):
    call(0.9)
    call(0.9, session="kernel-2")
    limit = Limit("sweep", 0.5, "styles")
    budgets.add(new(estimate_high=0.4, sweep="styles"), [limit])
    with pytest.raises(BudgetError, match="sweep's budget"):
        budgets.add(new(estimate_high=0.4, sweep="styles"), [limit])


def test_what_is_simulated_never_counts_against_what_is_billed(call, budgets, new):
    limit = Limit("session", 1.0, OWNER)
    budgets.add(new(estimate_high=0.9, session=OWNER, backend="simulator"), [limit])
    call(0.9)
    with pytest.raises(BudgetError):
        budgets.add(new(estimate_high=0.9, session=OWNER, backend="simulator"), [limit])
    assert spending(budgets, is_simulated=True).reserved == 0.9


def test_the_daily_budget_holds_for_every_session_and_begins_anew_with_the_day(store, new):
    now = dt.datetime(2026, 3, 29, 12).astimezone().timestamp()
    budgets = Budgets(store.database, clock=lambda: now)
    budgets.set_daily(1.0)
    for session in ("kernel-1", "kernel-2"):
        budgets.add(new(estimate_high=0.5, session=session, created=now, backend="fal"))
    with pytest.raises(BudgetError, match="daily budget of all kernels"):
        budgets.add(new(estimate_high=0.1, session="kernel-3", created=now, backend="fal"))
    with pytest.raises(BudgetError, match="Nothing bounds"):
        budgets.add(new(session="kernel-3", created=now, backend="fal"))
    tomorrow = Budgets(store.database, clock=lambda: now + 86_400)
    tomorrow.add(new(estimate_high=0.5, session="kernel-3", created=now + 86_400, backend="fal"))
    budgets.set_daily(None)
    assert budgets.daily() is None
    budgets.add(new(session="kernel-3", created=now, backend="fal"))


def test_setting_the_same_daily_budget_again_lifts_no_stop(store, new):
    now = 1_790_000_000.0
    budgets = Budgets(store.database, clock=lambda: now)
    budgets.set_daily(5.0)
    number, is_held = budgets.add(new(estimate_high=0.5, created=now, backend="fal"))
    assert is_held
    store.update(number, state="SUCCEEDED", cost=0.75)
    for amount, is_stopped in ((5.0, True), (6.0, True)):
        budgets.set_daily(amount)
        limit = budgets.daily_limit()
        found = budgets.spending(limit, "daily", limit.key, is_simulated=False)
        assert (found.stopped_by == number) is is_stopped


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf"), True, "2"])
def test_what_is_no_amount_of_money_is_no_budget(budgets, amount):
    with pytest.raises(ConfigError, match="is an amount in USD"):
        budgets.set_daily(amount)


def test_a_day_begins_at_the_persons_own_midnight():
    noon = dt.datetime(2026, 7, 1, 12, 30).astimezone()
    assert start_of_day(noon.timestamp()) == dt.datetime(2026, 7, 1).astimezone().timestamp()


def test_spending_reads_as_one_line(call, budgets, store):
    store.update(call(0.4), state="SUCCEEDED", cost=0.125)
    call(0.2)
    assert str(spending(budgets)) == "session: 0.125 USD spent, 0.20 reserved, 0.675 left of 1.00"
    assert str(spending(budgets, None)) == "session: 0.125 USD spent, 0.20 reserved"


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ([{"billable_units": 2.0}, {"unit_price": 0.03}], 0.06),
        ([{"unit_price": 0.03}, {"billable_units": 2.0}], 0.06),
        ([{"unit_price": 0.03, "billable_units": 2.0}], 0.06),
        ([{"billable_units": 0.0}], 0.0),
        ([{"billable_units": 2.0}], None),
        ([{"billable_units": 2.0, "cost": 0.5}, {"unit_price": 0.03}], 0.5),
    ],
)
def test_whoever_says_what_was_billed_settles_the_cost(store, new, changes, cost):
    number = store.add(new())
    for change in changes:
        store.update(number, **change)
    assert store.get(number).cost == cost


def test_a_lost_call_that_is_settled_later_counts_what_it_cost_and_stops_what_it_overran(call, budgets, store):
    number = call(0.4, unit_price=0.1)
    store.update(number, state="UNKNOWN")
    assert spending(budgets).reserved == 0.4
    store.settling.settle(number, "r-1", {"state": "SUCCEEDED", "billable_units": 5.0}, "fal's list has it")
    found = spending(budgets)
    assert (found.spent, found.reserved, found.stopped_by) == (0.5, 0.0, number)


def test_money_is_added_up_without_the_rounding_of_floats(call, budgets, store):
    for _ in range(3):
        store.update(call(0.1, limit=100.0), state="SUCCEEDED", cost=0.1)
    for _ in range(7):
        call(0.7, limit=100.0)
    found = spending(budgets, 100.0)
    assert (found.spent, found.reserved, found.left) == (0.3, 4.9, 94.8)
    assert 0.1 + 0.1 + 0.1 != 0.3


def test_what_one_call_costs_is_kept_however_much_the_others_cost(call, budgets, store):
    for cost in (70.07, 3.53708271e-05, 3 * 0.1):
        store.update(call(1e6, limit=1e9), state="SUCCEEDED", cost=cost)
    assert spending(budgets).spent == 70.3700353708271
