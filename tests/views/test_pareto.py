"""The view of calls against two numbers: its scales, the front's line, and what travels to the page."""

import math
import struct

import pytest

from fal_nb.views.pareto import ParetoView
from fal_nb.views.pareto_look import Axis, Point, Points, scale_of


class NoOutputs:
    backend = "simulator"
    name = "these calls"
    records = (8, 7)
    ratios = (1.0, 1.0)

    def find(self, query):
        return [0, 1]

    def looks(self, places):
        return {}

    def thumbnails(self, places):
        return {}


def points_of(*rows, better=("low", "low")):
    points = [Point(record, x, y, place, is_best) for record, x, y, place, is_best in rows]
    axes = [
        Axis(name, "number", end, scale_of([value for point in points for value in (getattr(point, at),)]))
        for name, at, end in zip(("a", "b"), ("x", "y"), better, strict=True)
    ]
    return Points(*axes, tuple(points), len(points))


@pytest.fixture
def seen():
    points = points_of((7, 1.0, 2.0, 1, True), (8, 2.0, 1.0, 0, True), (9, 3.0, 3.0, None, False))
    view = ParetoView(NoOutputs(), points, None, lambda digest: None, lambda records: None, lambda *_: None)
    sent = []
    outlet = {
        "post": lambda _self, _view, content, data: sent.append((content, data)),
        "changed": lambda *_, **__: None,
    }
    view.outlet = type("Outlet", (), outlet)()
    return view, sent


def test_the_points_travel_as_numbers_in_the_order_that_the_page_reads(seen):
    view, sent = seen
    view.receive({"kind": "order"})
    [(content, data)] = sent
    assert content == {"kind": "points", "count": 3}
    assert struct.unpack("<6d6I3B", data) == (1, 2, 3, 2, 1, 3, 1, 0, 2**32 - 1, 7, 8, 9, 1, 1, 0)


def test_a_query_of_a_gallery_changes_nothing(seen):
    view, sent = seen
    view.receive({"kind": "query", "words": "x", "filters": {}, "sort": "created"})
    assert sent == []


@pytest.mark.parametrize(
    ("better", "steps"),
    [
        (("low", "low"), [("x1", 1), ("x1", "y2"), ("x2", "y2"), ("x2", "y1"), (1, "y1")]),
        (("high", "low"), [(0, "y1"), ("x1", "y1"), ("x1", "y2"), ("x2", "y2"), ("x2", 1)]),
        (("low", "high"), [("x1", 0), ("x1", "y1"), ("x2", "y1"), ("x2", "y2"), (1, "y2")]),
        (("high", "high"), [(0, "y2"), ("x1", "y2"), ("x1", "y1"), ("x2", "y1"), ("x2", 0)]),
    ],
)
def test_the_line_bounds_what_is_beaten_whichever_ends_are_good(better, steps):
    rises = better in {("high", "low"), ("low", "high")}
    ys = (1.0, 2.0) if rises else (2.0, 1.0)
    points = points_of((1, 1.0, ys[0], 0, True), (2, 2.0, ys[1], 1, True), better=better)
    x, y = points.x.scale, points.y.scale
    names = {"x1": x.at(1.0), "x2": x.at(2.0), "y1": y.at(1.0), "y2": y.at(2.0)}
    expected = [tuple(names.get(part, part) for part in corner) for corner in steps]
    line = [corner for at, corner in enumerate(points.steps()) if at == 0 or corner != points.steps()[at - 1]]
    assert line == [pytest.approx(corner) for corner in expected]


@pytest.mark.parametrize(
    "numbers",
    [
        [0.003, 0.05],
        [1, 5],
        [0.0],
        [7.5],
        [-3, 9],
        [1e-6, 1e3],
        [0, 0, 0.1],
        [1e12, 3e12],
        [0.1 + 0.2, 0.3],
        [5e-324, 1],
    ],
)
def test_every_number_lies_between_the_ends_and_the_marks_are_few_and_even(numbers):
    scale = scale_of(numbers)
    assert all(0 <= scale.at(number) <= 1 for number in numbers)
    assert 1 <= len(scale.ticks) <= 10
    assert all(-1e-6 <= scale.at(number) <= 1 + 1e-6 for number, _ in scale.ticks)
    assert len({words for _, words in scale.ticks}) == len(scale.ticks)
    assert not any("00000" in words.replace("000,000", "") and "." in words for _, words in scale.ticks)


def test_equal_steps_are_equal_factors_where_numbers_lie_far_apart():
    assert scale_of([0.001, 1.0]).is_log
    assert not scale_of([0.01, 0.1]).is_log
    assert not scale_of([0.0, 100.0]).is_log
    scale = scale_of([0.001, 1.0])
    assert math.isclose(scale.at(0.1) - scale.at(0.01), scale.at(0.01) - scale.at(0.001))


def test_words_of_small_sums_tell_them_apart():
    axis = Axis("cost", "money", "low", scale_of([0.00017, 0.00018]))
    assert [axis.words(number) for number in (0.000171, 0.000174, 0.3 * 0.1)] == [
        "0.000171 USD",
        "0.000174 USD",
        "0.03 USD",
    ]
