"""Hostile texts as everything a plan shows: names, endpoints, figures, lines, errors."""

import pytest

from fal_nb.views.plan import PlanLook, PlanView
from tests.views.test_plan import FakePlan

from .judge import assert_inert, assert_plain, assert_sendable
from .words import EVERYTHING


@pytest.mark.parametrize("words", EVERYTHING.values(), ids=list(EVERYTHING))
@pytest.mark.parametrize("step", ["planned", "started"])
def test_a_plan_is_text_whatever_it_shows(words, step):
    look = PlanLook(
        name=words, endpoint_text=words, backend="fal", calls=1, figures=(words, words),
        lines=((words, words),) * 50, step=step, error=words,
    )  # fmt: skip
    view = PlanView(FakePlan(look))
    assert_sendable(view.state())
    assert_inert(view.twin())
    assert_plain(view.text(), 100_000)
    view.receive({"kind": words})
