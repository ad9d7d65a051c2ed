"""A sweep as its board sees it keeps up with its cells, and stays the board that it was when the plan grows."""

import dataclasses

import pytest

from fal_nb.engine.session import Session
from fal_nb.shown_sweep import ShownSweep
from fal_nb.simulator.server import SimulatorServer
from fal_nb.sweeps.sweep import Sweep

PLAN = "prompt: a {animal}\nanimal: [fox, owl]\nseed: [1, 2, 3]\nimage_size: {width: 32, height: 32}\n"


@pytest.fixture(scope="module")
def simulator():
    with SimulatorServer(runners=4, speed=40) as server:
        yield server


@pytest.fixture
def sweep(simulator, tmp_path):
    simulator.reset()
    session = Session(base_url=simulator.base_url, home=tmp_path / "home", notify=lambda line: None)
    yield Sweep.new(session, *Sweep.plan_text(session, PLAN, "fal-ai/flux/schnell"), budget=1.0, window=1)
    session.close()


def test_its_totals_are_those_of_its_cells_after_any_number_of_steps(sweep, simulator):
    simulator.fault("fail", times=2, at=0.1)
    shown = ShownSweep(sweep)
    steps = []

    def look(_keys):
        looks = shown.cells.values()
        told, counted = shown.totals, {look.state for look in looks}
        steps.append(
            {state for state, count in told.counts.items() if count} == counted
            and sum(told.counts.values()) == 6
            and told.spent == pytest.approx(sum(look.cost or 0.0 for look in looks))
        )

    shown.observe(look)
    sweep.run().wait(60)
    assert len(steps) > 1
    assert all(steps)
    anew = ShownSweep(sweep).totals
    assert shown.totals == dataclasses.replace(anew, counts=shown.totals.counts)
    assert {state: count for state, count in shown.totals.counts.items() if count} == {"SUCCEEDED": 4, "FAILED": 2}
    assert shown.totals.spent > 0
    assert shown.totals.reserved == 0


def test_a_plan_that_grows_moves_no_cell_of_a_board_that_is_there(sweep):
    shown = ShownSweep(sweep)
    before = {key: look.coordinates for key, look in shown.cells.items()}
    sweep.refine({"seed": [4, 5], "num_inference_steps": [1, 4]})
    sweep.run().wait(60)
    assert {key: look.coordinates for key, look in shown.cells.items()} == before
    assert {look.state for look in shown.cells.values()} == {"SUCCEEDED"}
    assert [len(axis.labels) for axis in shown.axes] == [2, 3]


def test_what_a_budget_keeps_back_is_shown_as_skipped_and_waits_again_under_a_larger_one(sweep):
    sweep.set_budget(0.01)
    shown = ShownSweep(sweep)
    sweep.run().wait(60)
    states = [look.state for look in shown.cells.values()]
    assert sorted(states) == ["SKIPPED"] * 3 + ["SUCCEEDED"] * 3
    assert all("budget" in look.reason for look in shown.cells.values() if look.state == "SKIPPED")
    seen = set()
    shown.observe(lambda _keys: seen.update(look.state for look in shown.cells.values()))
    sweep.set_budget(1.0)
    sweep.run().wait(60)
    assert "PREPARED" in seen
    assert {look.state for look in shown.cells.values()} == {"SUCCEEDED"}


def test_a_board_knows_that_nothing_runs_before_a_run_and_once_it_was_stopped(sweep, simulator):
    simulator.set_runners(0)
    shown = ShownSweep(sweep)
    assert shown.totals.is_at_rest
    told = []
    shown.observe(lambda _keys: told.append(shown.totals.is_at_rest))
    sweep.run()
    assert not shown.totals.is_at_rest
    sweep.cancel()
    sweep.wait(60)
    simulator.set_runners(4)
    assert told[-1] is True  # it is told so with the last change, not found out later
    assert shown.totals.counts["PREPARED"] > 0
