"""Hostile texts as everything a plot of calls shows: names of columns, prompts, errors, what is missing."""

import pytest

from fal_nb.views.pareto import ParetoView
from fal_nb.views.pareto_look import Axis, Point, Points, scale_of

from .judge import assert_inert, assert_plain, assert_sendable
from .test_gallery import HostileOutputs
from .words import EVERYTHING


@pytest.mark.parametrize("words", EVERYTHING.values(), ids=list(EVERYTHING))
def test_a_plot_is_text_whatever_its_columns_are_called(words, tmp_path):
    axes = [Axis(words, "number", end, scale_of([1.0, 2.0])) for end in ("low", "high")]
    points = (Point(3, 1.0, 2.0, 0, True), Point(2, 1.5, 2.0, 1, False), Point(1, 2.0, 1.0, None, False))
    view = ParetoView(
        HostileOutputs(words), Points(*axes, points, 4, (f"1 of 4 calls has no {words}",)), None,
        lambda digest: tmp_path / "blob", lambda records: None, lambda *_: None,
    )  # fmt: skip
    assert_sendable(view.state())
    twin = view.twin()
    assert "data:image/svg+xml;base64," in twin
    assert_inert(twin)
    assert_plain(view.text())
