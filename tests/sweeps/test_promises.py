"""What a sweep promises about money and order, at the sizes people use: counted by the simulator's own ledger."""

from collections import Counter

import pytest

from fal_nb.ledger.database import Database
from fal_nb.sweeps.cells import Cells
from fal_nb.sweeps.sweep import Sweep

SCHNELL = "fal-ai/flux/schnell"
SMALL = "image_size: {width: 32, height: 32}\nnum_inference_steps: 1\n"
SIXTY = f"prompt: a {{animal}}\nanimal: [fox, owl, hare]\nseed: 1..20\n{SMALL}"


def planned(session, text, endpoint=SCHNELL, **options):
    return Sweep.new(session, *Sweep.plan_text(session, text, endpoint), **options)


def test_refining_sixty_with_twenty_new_cells_makes_twenty_submissions_and_the_same_sweep_again_none(
    open_session, simulator
):
    sweep = planned(open_session(), SIXTY, window=8)
    sweep.run().wait(60)
    first = {entry["request_id"] for entry in simulator.ledger()}
    assert len(first) == 60
    sweep.refine({"animal": ["fox", "owl", "hare", "newt"]})
    assert sweep.outlook().calls == 20
    sweep.run().wait(60)
    assert sweep.counts() == {"SUCCEEDED": 80}
    new = {view.request_id for view in sweep if view.cell.coordinates["animal"] == "newt"}
    assert {entry["request_id"] for entry in simulator.ledger()} - first == new
    assert len(new) == 20
    again = planned(open_session(), sweep.text, window=8)
    assert (again.outlook().calls, again.outlook().known) == (0, 80)
    again.run().wait(60)
    assert len(simulator.ledger()) == 80
    assert all(again.frame()["from_memo"])


def test_a_budget_of_one_dollar_on_a_sweep_of_one_sixty_is_kept_and_a_larger_one_finishes(open_session, simulator):
    sweep = planned(open_session(), f"prompt: a fox\nseed: 1..64\n{SMALL}", "fal-ai/flux/dev", budget=1.0, window=8)
    assert sweep.outlook().high == pytest.approx(1.6)
    sweep.run().wait(60)
    assert charged(simulator) <= 1.0 + 1e-9
    assert sweep.frame()["cost"].sum() == pytest.approx(charged(simulator))
    done = sweep.counts()["SUCCEEDED"]
    # Nothing else keeps it from going on: one more would not have fitted.
    assert charged(simulator) + 0.025 > 1.0
    assert sweep.counts() == {"SUCCEEDED": done, "SKIPPED": 64 - done}
    assert all("budget" in view.reason for view in sweep if view.state == "SKIPPED")
    again = Sweep.find(open_session())
    assert {view.reason for view in again if view.state == "SKIPPED"} == {"SKIPPED (budget)"}
    again.set_budget(2.0)
    again.run().wait(60)
    assert again.counts() == {"SUCCEEDED": 64}
    assert len(simulator.ledger()) == 64
    assert charged(simulator) == pytest.approx(1.6)


def test_sweeps_that_run_at_once_share_the_window_and_none_waits_for_another_to_end(session, simulator, wait_for):
    simulator.set_runners(0)
    sweeps = [
        planned(session, f"seconds: 10\necho: [{name}1, {name}2, {name}3, {name}4, {name}5]\n", "simulator/sleep")
        for name in "abc"
    ]
    sweeps[0].run()
    wait_for(lambda: under_way(sweeps[0]) == 4)
    most = dict.fromkeys("abc", 0)
    together = 0
    order = []

    def look(_keys):
        nonlocal together
        counts = [under_way(sweep) for sweep in sweeps]
        together = max(together, sum(counts))
        most.update({name: max(most[name], count) for name, count in zip("abc", counts, strict=True)})
        if not order or order[-1] != counts:
            order.append(counts)

    for sweep in sweeps:
        sweep.observe(look)
    sweeps[1].run()
    sweeps[2].run()
    wait_for(lambda: all(sweep.is_running for sweep in sweeps))
    simulator.set_runners(8)
    for sweep in sweeps:
        sweep.wait(60)
    assert [sweep.counts() for sweep in sweeps] == [{"SUCCEEDED": 5}] * 3
    assert together == 4
    # The two that came later had begun before the first had ended.
    assert any(a and b and c for a, b, c in order)


def under_way(sweep):
    return sum(view.state in {"SUBMITTING", "QUEUED", "RUNNING"} for view in sweep)


def charged(simulator):
    return sum(entry["billable_units"] * entry["unit_price"] for entry in simulator.ledger())


def test_a_plan_of_ten_thousand_works_each_combination_out_a_few_times_and_asks_the_history_a_few_things(
    session, simulator, monkeypatch
):
    worked, asked = Counter(), Counter()
    real_cell, real_reading = Cells._cell, Database.reading
    monkeypatch.setattr(Cells, "_cell", lambda self, *rest: worked.update(one=1) or real_cell(self, *rest))
    monkeypatch.setattr(Database, "reading", lambda self: asked.update(one=1) or real_reading(self))
    outlook = planned(session, "prompt: a fox\nseed: 1..100\nguidance_scale: 1..10.9 step 0.1\n").outlook()
    assert outlook.calls == 10_000
    assert worked["one"] <= 4 * 10_000
    assert asked["one"] < 30
    assert simulator.ledger() == []
