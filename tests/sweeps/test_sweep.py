"""A sweep on the simulator: planned, run in a window, resumed, refined, held to a budget; one submission a cell."""

import pytest

from fal_nb.errors import ArgumentsError, FalClientTimeoutError, FalError, HistoryError, JobError
from fal_nb.ledger.records import NewRecord
from fal_nb.sweeps.sweep import Sweep

SCHNELL = "fal-ai/flux/schnell"
TEXT = """\
prompt: a {animal} in {style} style
animal: [fox, owl]
style: [ukiyo-e, bauhaus]
seed: [1, 2, 3]
image_size: {width: 64, height: 64}
"""
SLEEP = "seconds: 0.3\necho: [a, b, c, d, e, f]\n"


def planned(session, text=TEXT, endpoint=SCHNELL, **options):
    plan, schemas = Sweep.plan_text(session, text, endpoint)
    return Sweep.new(session, plan, schemas, **options)


def test_a_sweep_calls_each_cell_once_and_its_frame_has_a_row_for_each(session, simulator):
    sweep = planned(session, name="styles")
    assert simulator.ledger() == []
    outlook = sweep.outlook()
    assert (outlook.calls, outlook.known) == (12, 0)
    assert outlook.high == pytest.approx(12 * 0.003)
    sweep.run().wait(60)
    frame = sweep.frame()
    assert len(frame) == 12
    assert set(frame["state"]) == {"SUCCEEDED"}
    assert {"animal", "style", "seed", "cost", "file"} <= set(frame.columns)
    assert frame["cost"].sum() == pytest.approx(0.036)
    assert len(simulator.ledger()) == 12
    prompts = {record.prompt for record in session.history.select(where={"sweep": "styles"})}
    assert prompts == {f"a {animal} in {style} style" for animal in ("fox", "owl") for style in ("ukiyo-e", "bauhaus")}
    assert sweep.pivot("animal", "style").shape == (2, 2)
    assert repr(sweep) == "<Sweep styles: 12 cells, 12 succeeded>"


def test_no_more_cells_are_under_way_than_the_window_lets_through(session, simulator):
    most = 0

    def look(_keys):
        nonlocal most
        most = max(most, sum(view.state in {"QUEUED", "RUNNING"} for view in sweep))

    sweep = planned(session, SLEEP, "simulator/sleep", window=2)
    sweep.observe(look)
    sweep.run().wait(60)
    assert most == 2
    assert sweep.counts() == {"SUCCEEDED": 6}


def test_the_same_sweep_again_is_answered_from_memory(session, simulator):
    planned(session).run().wait(60)
    again = planned(session)
    assert again.outlook().known == 12
    again.run().wait(60)
    assert len(simulator.ledger()) == 12
    assert all(view.is_from_memo and view.state == "SUCCEEDED" for view in again)


def test_refining_calls_only_what_is_new(session, simulator):
    sweep = planned(session)
    sweep.run().wait(60)
    sweep.refine({"animal": ["fox", "owl", "hare"]})
    assert len(sweep) == 18
    assert sweep.outlook().calls == 6
    sweep.run().wait(60)
    assert len(simulator.ledger()) == 18
    assert set(sweep.frame()["state"]) == {"SUCCEEDED"}


def test_a_budget_stops_the_rest_and_a_larger_one_goes_on(session, simulator):
    sweep = planned(session, budget=0.02)
    sweep.run().wait(60)
    assert sweep.stopped == "budget"
    assert sum(entry["billable_units"] * entry["unit_price"] for entry in simulator.ledger()) <= 0.02
    counts = sweep.counts()
    assert counts["SKIPPED"] == 12 - counts["SUCCEEDED"] > 0
    assert any("budget" in view.reason for view in sweep if view.state == "SKIPPED")
    again = Sweep.find(session)
    assert again.stopped == "budget"
    again.set_budget(1.0)
    again.run().wait(60)
    assert again.counts() == {"SUCCEEDED": 12}
    assert len(simulator.ledger()) == 12
    assert again.stopped is None


def test_a_failed_cell_does_not_spoil_the_rest_and_retry_takes_only_it(session, simulator):
    simulator.fault("fail", times=1, at=0.1)
    sweep = planned(session)
    sweep.run().wait(60)
    assert sweep.counts() == {"SUCCEEDED": 11, "FAILED": 1}
    sweep.run().wait(60)
    assert sweep.counts()["FAILED"] == 1
    sweep.retry().wait(60)
    assert sweep.counts() == {"SUCCEEDED": 12}
    assert len(simulator.ledger()) == 13


def test_a_locked_account_stops_the_sweep_at_once(session, simulator):
    simulator.fault("locked")
    sweep = planned(session, window=3)
    sweep.run().wait(60)
    simulator.clear_faults()
    assert sweep.stopped == "lock"
    assert simulator.counters()["submit"] <= 3
    session.unlock()
    sweep.run().wait(60)
    sweep.retry().wait(60)
    assert sweep.counts() == {"SUCCEEDED": 12}


def test_pausing_begins_no_further_cell_and_cancelling_ends_those_under_way(session, simulator, wait_for):
    simulator.set_runners(0)
    sweep = planned(session, SLEEP, "simulator/sleep", window=2)
    sweep.run()
    wait_for(lambda: sum(view.state == "QUEUED" for view in sweep) == 2)
    sweep.pause()
    simulator.set_runners(8)
    wait_for(lambda: sweep.counts().get("SUCCEEDED") == 2)
    assert sweep.counts().get("PREPARED") == 4
    assert sweep.is_running
    with pytest.raises(FalClientTimeoutError):
        sweep.wait(0.2)
    simulator.set_runners(0)
    sweep.go_on()
    wait_for(lambda: sum(view.state == "QUEUED" for view in sweep) == 2)
    sweep.cancel()
    sweep.wait(60)
    assert sweep.counts() == {"SUCCEEDED": 2, "CANCELLED": 2, "PREPARED": 2}
    simulator.set_runners(8)
    sweep.run().wait(60)
    assert sweep.counts() == {"SUCCEEDED": 4, "CANCELLED": 2}


def test_another_session_resumes_what_a_closed_one_left_with_no_second_submission(open_session, simulator, wait_for):
    first = open_session()
    simulator.set_runners(0)
    sweep = planned(first, SLEEP, "simulator/sleep", window=3)
    sweep.run()
    wait_for(lambda: sum(view.state == "QUEUED" for view in sweep) == 3)
    first.close()
    simulator.set_runners(8)
    session = open_session()
    again = Sweep.find(session)
    again.run().wait(60)
    assert again.counts() == {"SUCCEEDED": 6}
    assert len(simulator.ledger()) == 6


def test_two_kernels_do_not_run_one_sweep_at_once(open_session, simulator, wait_for):
    simulator.set_runners(0)
    sweep = planned(open_session(), SLEEP, "simulator/sleep")
    sweep.run()
    wait_for(simulator.ledger)
    other = Sweep.find(open_session())
    with pytest.raises(JobError, match="Another kernel runs"):
        other.run()
    sweep.cancel()
    sweep.wait(60)
    simulator.set_runners(8)
    wait_for(lambda: open_session().history.sweeps.find(None).owner is None)
    other.run().wait(60)


def test_a_run_that_is_refused_leaves_the_sweep_to_other_kernels(open_session):
    session = open_session()
    sweep = planned(session, SLEEP, "simulator/sleep")
    open_at_fal = NewRecord(
        endpoint="simulator/sleep", arguments={}, backend="fal", created=1.0, state="RUNNING",
        sweep=sweep.name, sweep_cell=next(iter(sweep)).cell.key,
    )  # fmt: skip
    session.history.add(open_at_fal)
    with pytest.raises(JobError, match=r"open at fal\.ai"):
        sweep.run()
    assert session.history.sweeps.find(sweep.name).owner is None
    assert not sweep.is_running


def test_a_run_that_a_closed_session_cannot_begin_is_over_at_once(open_session):
    session = open_session()
    sweep = planned(session, SLEEP, "simulator/sleep")
    session.runtime.close()
    with pytest.raises(FalError, match="closed"):
        sweep.run()
    assert sweep.wait(5).is_at_rest
    assert session.history.sweeps.find(sweep.name).owner is None


def test_a_cell_that_is_run_again_is_the_same_sweep_and_calls_nothing_twice(session, simulator):
    planned(session, name="styles", budget=1.0).run().wait(60)
    sent = len(simulator.ledger())
    again = planned(session, name="styles")
    again.run().wait(60)
    assert len(simulator.ledger()) == sent
    assert again.budget == 1.0
    assert planned(session, name="styles", budget=2.0).budget == 2.0
    assert len(session.history.sweeps.all()) == 1


def test_a_sweep_of_which_nothing_has_begun_is_replaced_and_another_one_is_not(session):
    planned(session, name="styles")
    other = planned(session, "prompt: x\nseed: [1, 2]\n", name="styles")
    assert len(other) == 2
    other.run().wait(60)
    with pytest.raises(HistoryError, match="with another plan: `%%fal sweep refine styles` adds to it"):
        planned(session, name="styles")
    assert len(Sweep.find(session, "styles")) == 2


def test_what_is_wrong_is_said_before_anything_is_written(session):
    plan, schemas = Sweep.plan_text(session, "prompt: x\nnum_images: [1, 9]\n", SCHNELL)
    with pytest.raises(ArgumentsError, match="num_images"):
        Sweep.new(session, plan, schemas)
    assert session.history.sweeps.find(None) is None
    with pytest.raises(JobError, match="There is no sweep yet"):
        Sweep.find(session)
    planned(session, name="one")
    with pytest.raises(JobError, match="no name"):
        planned(session, name="a b/c")
    with pytest.raises(JobError, match="one"):
        Sweep.find(session, "two")
