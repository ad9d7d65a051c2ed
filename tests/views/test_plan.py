import dataclasses
from types import SimpleNamespace

import pytest

from fal_nb.views.hub import Hub
from fal_nb.views.outputs import Outputs
from fal_nb.views.plan import PlanLook, PlanView

LOOK = PlanLook(
    name="styles",
    endpoint_text="fal-ai/flux/dev",
    backend="simulator",
    calls=48,
    figures=("48 calls", "1.20 USD", "about 40 s, 4 at once"),
    lines=(("axes", "animal 2 × seed 24 = 48 combinations"), ("sheet", "1 page of 600 × 800 pixels")),
)


class FakePlan:
    """A plan in memory that counts how often it was started."""

    def __init__(self, look=LOOK):
        self.look, self.observers, self.starts = look, [], 0

    def observe(self, observer):
        self.observers.append(observer)

    def unobserve(self, observer):
        self.observers.remove(observer)

    def start(self):
        self.starts += 1
        self.become(step="starting")

    def become(self, **changes):
        self.look = dataclasses.replace(self.look, **changes)
        for observer in list(self.observers):
            observer()


class Outlet:
    def __init__(self):
        self.changes = []

    def changed(self, view, *, settled):
        self.changes.append(settled)


def test_a_click_starts_it_and_a_second_one_does_nothing():
    plan = FakePlan()
    view = PlanView(plan)
    view.outlet = Outlet()
    view.receive({"kind": "run"})
    view.receive({"kind": "run"})
    assert plan.starts == 1
    assert view.outlet.changes == [True]
    plan.become(step="started")
    view.receive({"kind": "run"})
    assert plan.starts == 1


@pytest.mark.parametrize("content", [{}, {"kind": "start"}, {"kind": ["run"]}, {"kind": None}])
def test_nothing_else_starts_it(content):
    plan = FakePlan()
    PlanView(plan).receive(content)
    assert plan.starts == 0


def test_after_an_error_it_may_be_started_again():
    plan = FakePlan()
    view = PlanView(plan)
    view.receive({"kind": "run"})
    plan.become(step="planned", error="Another kernel runs the sweep styles.")
    assert view.state()["error"] == "Another kernel runs the sweep styles."
    assert "Another kernel" in view.twin()
    view.receive({"kind": "run"})
    assert plan.starts == 2


def test_the_twin_and_the_text_say_how_it_is_run_and_have_no_button():
    view = PlanView(FakePlan())
    for shown in (view.twin(), view.text()):
        assert "1 page of 600 × 800 pixels" in shown
        assert "Nothing was sent yet: `%fal sweep resume styles` runs it" in shown
        assert "button" not in shown
    assert "48 calls · 1.20 USD · about 40 s, 4 at once" in view.twin()


def test_once_it_has_begun_it_is_settled_and_says_so():
    plan = FakePlan()
    view = PlanView(plan)
    assert not view.is_settled
    plan.become(step="started")
    assert view.is_settled
    assert "`%fal sweep show styles`" in view.twin()


def test_another_view_takes_its_place_in_the_output_and_it_is_let_go(runtime, wire, make_handle):
    hub, handle, plan = Hub(runtime), make_handle(), FakePlan()
    first, second = PlanView(plan), PlanView(FakePlan(dataclasses.replace(LOOK, name="the board")))
    hub.add(first, handle)
    plan.look = dataclasses.replace(LOOK, step="started")
    hub.replace(first, second)
    runtime.call(hub.flush(second))
    assert "the board" in handle.updates[-1][1]["text/html"]
    assert plan.observers == []
    count = len(handle.updates)
    runtime.call(hub.flush(first))
    assert len(handle.updates) == count


def test_a_view_that_took_the_place_of_another_is_forgotten_with_the_cells_next_run():
    forgotten = []
    outputs = Outputs(forgotten.append)

    def shell(message):
        return SimpleNamespace(parent_header={"metadata": {"cellId": "c1"}, "header": {"msg_id": message}})

    first, second = PlanView(FakePlan()), PlanView(FakePlan())
    outputs.add(first, shell("m1"))
    outputs.replace(first, second)
    outputs.add(PlanView(FakePlan()), shell("m2"))
    assert forgotten == [second]
