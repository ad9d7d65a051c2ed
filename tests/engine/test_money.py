"""Estimate before, cost after; budgets refuse before anything is sent."""

import subprocess
import sys
import time

import pytest

from fal_nb.client.options import CallOptions
from fal_nb.engine.intent import Terms
from fal_nb.engine.session import Session
from fal_nb.errors import BudgetError, ConfigError, NotSent, RequestCancelledError
from fal_nb.ledger.budgets import Budgets
from fal_nb.simulator.server import SimulatorServer

SCHNELL, DEV = "fal-ai/flux/schnell", "fal-ai/flux/dev"
SMALL = {"prompt": "x", "image_size": {"width": 64, "height": 64}}


def money_of(session, job):
    record = session.history.get(job.record_id)
    return record.estimate_low, record.estimate_high, record.cost, record.currency


def billed(simulator, job):
    entry = next(entry for entry in simulator.ledger() if entry["request_id"] == job.request_id)
    return entry["billable_units"] * entry["unit_price"]


def test_estimate_and_cost_are_columns_of_the_record_and_of_the_history(session, simulator, wait_for):
    job = session.submit(DEV, SMALL | {"num_images": 2})
    job.get()
    wait_for(lambda: job.snapshot.cost is not None)
    assert money_of(session, job) == (0.05, 0.05, 0.05, "USD")
    assert billed(simulator, job) == 0.05
    row = session.frame().iloc[-1]
    assert (row["estimate"], row["cost"], row["currency"]) == (0.05, 0.05, "USD")
    assert session.history.get(job.record_id).reserved is None
    assert (job.snapshot.estimate, job.snapshot.cost) == (0.05, 0.05)


def test_the_first_call_does_not_wait_for_the_price_list_and_the_second_has_its_estimate_at_once(
    session, simulator, wait_for
):
    simulator.fault("slow", on="platform_pricing", seconds=1.5, times=1)
    first = session.submit(DEV, SMALL)
    assert first.snapshot.estimate is None
    first.get()
    assert session.history.get(first.record_id).estimate_high is None
    wait_for(lambda: session.history.get(first.record_id).cost is not None)
    assert money_of(session, first)[:3] == (0.025, 0.025, 0.025)
    asked = simulator.counters()["platform_pricing"]
    second = session.submit(DEV, SMALL)
    assert second.snapshot.estimate == 0.025
    second.get()
    assert second.snapshot.cost == 0.025
    assert simulator.counters()["platform_pricing"] == asked
    assert sum(simulator.requests(second.request_id).values()) == 3


def test_a_price_list_out_of_reach_keeps_nobody_from_calling(session, simulator):
    simulator.fault("status", on="platform_pricing", status=403)
    job = session.submit(DEV, SMALL)
    job.get()
    assert money_of(session, job) == (None, None, None, None)


def test_what_failed_or_was_cancelled_costs_what_it_was_billed(session, simulator, wait_for):
    session.price(DEV, SMALL)
    simulator.fault("fail", times=1)
    failed = session.submit(DEV, SMALL).wait()
    assert (failed.state, failed.snapshot.cost) == ("FAILED", 0.0)
    simulator.fault("long", seconds=30, times=1)
    running = session.submit(DEV, SMALL)
    wait_for(lambda: running.state == "RUNNING")
    running.cancel()
    running.wait()
    assert running.state == "CANCELLED"
    assert running.snapshot.cost == billed(simulator, running)
    simulator.fault("status", status=401, times=1)
    refused = session.submit(DEV, SMALL).wait()
    assert (refused.state, money_of(session, refused)[2]) == ("FAILED", 0.0)


def test_a_call_that_may_cost_too_much_is_refused_before_anything_is_sent_or_written(session, simulator):
    accepted = len(simulator.ledger())
    with pytest.raises(
        BudgetError, match=r"flux/dev would cost up to 0\.10 USD, and the max_cost of this call is 0\.05"
    ):
        session.submit(DEV, SMALL | {"num_images": 4}, terms=Terms(max_cost=0.05))
    assert session.history.count() == 0
    assert len(simulator.ledger()) == accepted
    job = session.submit(DEV, SMALL | {"num_images": 2}, terms=Terms(max_cost=0.05))
    job.get()
    assert session.history.get(job.record_id).reserved == 0.05
    with pytest.raises(ConfigError):
        session.submit(DEV, SMALL, terms=Terms(max_cost=-1))


def test_the_first_call_under_a_budget_waits_for_its_price(session, simulator):
    simulator.fault("slow", on="platform_pricing", seconds=0.5, times=1)
    session.budget = 1.0
    assert session.submit(DEV, SMALL).snapshot.reserved == 0.025


def test_a_session_budget_holds_at_once_for_all_its_calls_and_gives_back_what_was_not_used(session, simulator):
    session.budget = 0.06
    jobs = [session.submit(DEV, SMALL) for _ in range(2)]
    with pytest.raises(BudgetError, match=r"0\.01 of the session's budget of 0\.06 are left"):
        session.submit(DEV, SMALL)
    for job in jobs:
        job.get()
    found = session.spending()["session"]
    assert (found.spent, found.reserved, found.budget) == (0.05, 0.0, 0.06)
    simulator.fault("fail", times=1)
    session.budget = 0.08
    session.submit(DEV, SMALL).wait()
    session.submit(DEV, SMALL).get()
    assert session.spending()["session"].left == pytest.approx(0.005)
    session.budget = None
    session.submit(DEV, SMALL).get()


def test_streams_direct_calls_and_subpaths_are_held_to_it_too(session):
    session.budget = 0.001
    with pytest.raises(BudgetError):
        session.submit(DEV, SMALL, kind="direct")
    with pytest.raises(BudgetError):
        session.stream(DEV, SMALL)
    with pytest.raises(BudgetError):
        session.submit("fal-ai/flux", SMALL, options=CallOptions(path="/dev"))


def test_a_call_nobody_can_price_needs_allow_unpriced_under_a_budget(session):
    session.budget = 1.0
    with pytest.raises(BudgetError, match="Nothing bounds what fal-ai/fast-sdxl would cost"):
        session.submit("fal-ai/fast-sdxl", SMALL)
    job = session.submit("fal-ai/fast-sdxl", SMALL, terms=Terms(allow_unpriced=True))
    job.get()
    assert session.spending()["session"].spent == pytest.approx(job.snapshot.cost, rel=1e-9)


def test_a_price_list_out_of_reach_makes_every_call_under_a_budget_unpriced(session, simulator):
    simulator.fault("status", on="platform_pricing", status=403)
    session.budget = 1.0
    with pytest.raises(BudgetError, match="Nothing bounds"):
        session.submit(DEV, SMALL)
    session.submit(DEV, SMALL, terms=Terms(allow_unpriced=True)).get()


def test_a_lost_answer_holds_its_reservation(session, simulator):
    session.budget = 0.03
    simulator.fault("lost-reply", times=1)
    job = session.submit(DEV, SMALL).wait()
    assert job.state == "UNKNOWN"
    assert session.spending()["session"].reserved == 0.025
    with pytest.raises(BudgetError):
        session.submit(DEV, SMALL)


def test_an_actual_above_its_high_is_recorded_shown_and_stops_the_budget(session, simulator, monkeypatch):
    session.budget = 5.0
    session.price(DEV, SMALL)
    known = session.open_wire.prices._known
    price, at = known[DEV]
    job = session.submit(DEV, SMALL)
    # The record remembers the price it was sent under; what is billed comes to more units than were counted.
    monkeypatch.setattr("fal_nb.client.answers.ResultAnswer.of", _tenfold)
    job.get()
    monkeypatch.undo()
    assert (price.unit_price, at) == (known[DEV][0].unit_price, at)
    assert job.snapshot.cost == 0.25
    assert "more than the 0.025 USD reserved" in job.snapshot.next_step
    assert session.history.get(job.record_id).cost == 0.25
    assert session.spending()["session"].stopped_by == job.record_id
    with pytest.raises(BudgetError, match=rf"is stopped: #{job.record_id} cost 0\.25 USD"):
        session.submit(DEV, SMALL)
    session.budget = 4.0
    session.submit(DEV, SMALL).get()


def _tenfold(data, answer, request_id=None):
    from fal_nb.client.answers import ResultAnswer

    units = float(answer.headers["x-fal-billable-units"])
    return ResultAnswer(data, dict(answer.headers), units * 10, request_id or answer.request_id)


def test_a_daily_budget_is_in_the_history_and_holds_for_the_next_session_at_once(session, simulator):
    session.daily_budget = 0.03
    other = Session(base_url=simulator.base_url, home=session.home)
    try:
        assert other.daily_budget == 0.03
        other.submit(DEV, SMALL)
        with pytest.raises(BudgetError, match="daily budget of all kernels"):
            session.submit(DEV, SMALL)
        assert session.spending()["daily"].left == pytest.approx(0.005)
        assert session.spending()["session"].budget is None
    finally:
        other.close()


def test_a_daily_budget_set_by_another_kernel_a_moment_ago_waits_for_the_price(session, monkeypatch):
    monkeypatch.setattr(Budgets, "daily", lambda self: None)
    Budgets(session.history.database).set_daily(1.0)
    assert session.submit(DEV, SMALL).snapshot.reserved == 0.025


def test_a_sweeps_budget_is_over_all_records_of_its_name(session):
    from fal_nb.engine.intent import Intent

    terms = Terms(sweep_budget=0.03)
    intent = Intent(DEV, SMALL, more={"sweep": "styles"}, terms=terms)
    session.money.record(intent, (None, None))
    with pytest.raises(BudgetError, match="sweep's budget"):
        session.money.record(intent, (None, None))
    assert session.money.spending("styles", 0.03)["styles"].reserved == 0.025


def test_a_job_taken_over_by_another_session_is_settled_by_the_price_on_its_record(simulator, tmp_path, wait_for):
    first = Session(base_url=simulator.base_url, home=tmp_path / "home")
    first.budget = 1.0
    simulator.fault("long", seconds=1.5, times=1)
    job = first.submit(DEV, SMALL)
    wait_for(lambda: job.request_id)
    first.close()
    simulator.fault("status", on="platform_pricing", status=403)
    next(first.settings.home.glob("prices-*.json")).unlink()
    second = Session(base_url=simulator.base_url, home=tmp_path / "home")
    try:
        taken = second.job(job.request_id)
        taken.get()
        assert taken.snapshot.cost == 0.025
        assert second.money.spending()["session"].spent == 0.0
        record = second.history.get(job.record_id)
        assert (record.cost, record.session) == (0.025, first.owner)
    finally:
        second.close()


def test_a_call_that_never_left_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("fal_nb.protocol.retry._BASE_S", 0.001)
    session = Session(base_url="http://127.0.0.1:9", home=tmp_path / "home", notify=lambda line: None)
    job = session.submit(DEV, SMALL)
    with pytest.raises(NotSent):
        job.get()
    assert session.history.get(job.record_id).cost == 0.0
    session.close()


KERNEL = """
import sys, pathlib
from fal_nb.engine.session import Session
from fal_nb.errors import BudgetError
session = Session(base_url=sys.argv[1], home=pathlib.Path(sys.argv[2]))
session.price("fal-ai/flux/dev", {})
print("ready", flush=True)
sys.stdin.readline()
jobs = []
for number in range(10):
    try:
        jobs.append(session.submit("fal-ai/flux/dev", {"prompt": "x", "image_size": {"width": 64, "height": 64}}))
    except BudgetError:
        pass
for job in jobs:
    job.wait()
session.close()
"""


@pytest.mark.slow
def test_kernels_that_send_at_once_stay_within_the_daily_budget(simulator, session, tmp_path):
    session.daily_budget = 0.3
    before = len(simulator.ledger())
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", KERNEL, simulator.base_url, str(session.home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.communicate("go\n", timeout=90)
        assert kernel.returncode == 0
    assert len(simulator.ledger()) == before + 12
    assert session.spending()["daily"].spent == pytest.approx(0.3)


# -- waiting and the lock -----------------------------------------------------------------------------------------


def test_a_job_that_waits_for_its_turn_says_how_long_and_can_be_cancelled(session, simulator, wait_for):
    simulator.fault("rate-limit", on="submit", times=1, retry_after="60")
    first = session.submit(DEV, SMALL)
    wait_for(lambda: first.snapshot.next_step)
    assert "the next try comes in 6" in first.snapshot.next_step
    second = session.submit(DEV, SMALL)
    wait_for(lambda: second.snapshot.next_step)
    assert second.state == "PREPARED"
    assert session.history.get(second.record_id).state == "PREPARED"
    asked = simulator.counters()["submit"]
    for job in (first, second):
        job.cancel()
        with pytest.raises(RequestCancelledError, match="nothing was started"):
            job.get(20)
        assert session.history.get(job.record_id).cost == 0.0
    assert simulator.counters()["submit"] == asked


def test_a_time_limit_ends_the_wait_for_a_turn(session, simulator):
    simulator.fault("rate-limit", on="submit", times=1, retry_after="60")
    job = session.submit(DEV, SMALL, timeout_s=0.3)
    with pytest.raises(TimeoutError):
        job.get(20)
    assert job.state == "CANCELLED"


def test_jobs_go_on_after_a_pause_and_forget_it(session, simulator):
    simulator.fault("rate-limit", on="submit", times=5, retry_after="0.2")
    jobs = [session.submit(DEV, SMALL) for _ in range(20)]
    for job in jobs:
        job.get()
    assert {job.snapshot.next_step for job in jobs} == {None}


def test_a_locked_account_stops_what_is_prepared_and_what_comes_after(tmp_path, wait_for):
    from fal_nb.errors import AccountLockedError

    with SimulatorServer(runners=4, speed=20) as server:
        session = Session(base_url=server.base_url, home=tmp_path / "home")
        session.submit(DEV, SMALL).get()
        server.fault("slow", on="submit", seconds=0.3)
        server.fault("locked")
        before = server.counters()["submit"]
        accepted = len(server.ledger())
        window, left, jobs = 4, 40, []
        # A window as a sweep keeps it: so many at once, the next one as one ends.
        while left:
            flying = [job for job in jobs if not job.done]
            if len(flying) < window:
                try:
                    jobs.append(session.submit(DEV, SMALL))
                    left -= 1
                except AccountLockedError as error:
                    refusal = error
                    break
            time.sleep(0.002)
        for job in jobs:
            job.wait(30)
        assert "User is locked. Reason: Exhausted balance." in str(refusal)
        assert "Nothing was sent" in str(refusal)
        assert "fal.unlock()" in str(refusal)
        assert server.counters()["submit"] - before <= window
        assert len(server.ledger()) == accepted
        assert {job.state for job in jobs} == {"FAILED"}
        assert all("Exhausted balance" in job.snapshot.error for job in jobs)
        assert {session.history.get(job.record_id).cost for job in jobs} == {0.0}
        count = session.history.count()
        with pytest.raises(AccountLockedError):
            session.submit(DEV, SMALL)
        assert session.history.count() == count
        # One call tries again, and where it is let in the others are, too.
        server.clear_faults()
        session.unlock()
        later = [session.submit(DEV, SMALL) for _ in range(5)]
        for job in later:
            job.get(30)
        session.close()


def test_what_waits_for_its_turn_when_the_account_is_locked_is_never_sent(session, simulator, wait_for):
    simulator.fault("rate-limit", on="submit", times=1, retry_after="0.5")
    first = session.submit(DEV, SMALL)
    wait_for(lambda: first.snapshot.next_step)
    simulator.fault("locked")
    waiting = [session.submit(DEV, SMALL) for _ in range(10)]
    asked = simulator.counters()["submit"]
    for job in (first, *waiting):
        job.wait(30)
    assert simulator.counters()["submit"] == asked + 1
    assert {job.state for job in (first, *waiting)} == {"FAILED"}
    assert {session.history.get(job.record_id).submitted for job in waiting} == {None}


def test_a_call_with_a_picture_is_estimated_by_its_size(session, wait_for):
    picture = session.submit(DEV, {"prompt": "x", "image_size": {"width": 1100, "height": 1000}}).get()
    for given in (picture, picture.files[0].path):
        job = session.submit(f"{DEV}/image-to-image", {"prompt": "x", "image_url": given})
        wait_for(lambda: job.snapshot.estimate is not None)  # noqa: B023 - asked at once
        assert job.snapshot.estimate == 0.05
        job.get()
    session.budget = 0.04
    with pytest.raises(BudgetError, match=r"would cost up to 0\.05 USD"):
        session.submit(f"{DEV}/image-to-image", {"prompt": "x", "image_url": picture})
