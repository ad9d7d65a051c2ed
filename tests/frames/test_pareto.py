"""Which calls no other beats, as a column and as a view."""

import random
import re

import numpy as np
import pandas as pd
import pytest

from fal_nb.errors import HistoryError
from fal_nb.frames.front import front_of, unbeaten
from fal_nb.frames.shown_pareto import points_of_front

FLUX = "fal-ai/flux/schnell"


def beaten_by_none(pairs):
    """What `unbeaten` finds, by comparing every pair."""
    known = [pair for pair in pairs if pair is not None]

    def is_best(own):
        return not any(a <= own[0] and b <= own[1] and (a, b) != own for a, b in known)

    return [None if pair is None else is_best(pair) for pair in pairs]


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_comparing_every_pair_finds_ties_and_gaps_with_it(seed):
    numbers = random.Random(seed)
    pairs = [
        None if numbers.random() < 0.1 else (numbers.randrange(12) / 4, numbers.randrange(12) * -1.0)
        for _ in range(120)
    ]
    assert unbeaten(pairs) == beaten_by_none(pairs)


def test_equal_calls_stay_on_the_front_together():
    assert unbeaten([(1.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 2.0)]) == [True, True, False, False]


@pytest.mark.parametrize(
    ("x", "y", "ends", "best"),
    [
        ("cost", "rating", (None, None), [1, 3]),
        ("cost", "total_s", (None, None), [1]),
        ("cost", "rating", (None, "low"), [1]),
        ("rating", "sharpness", (None, None), [3]),
        ("rating", "sharpness", ("low", None), [2, 3]),
    ],
)
def test_money_and_seconds_are_good_where_low_and_all_else_where_high_unless_said(x, y, ends, best):
    frame = pd.DataFrame(
        {
            "cost": [0.01, 0.02, 0.02, None],
            "total_s": [1.0, 2.0, 3.0, 0.5],
            "rating": pd.array([2, 2, 5, 5], dtype="Int64"),
            "sharpness": [1.0, 2.0, 9.0, 8.0],
        },
        index=pd.Index([1, 2, 3, 4], name="record"),
    )
    found = front_of(frame, (x, y), ends)
    assert [number for number, is_best in zip(frame.index, found.is_best, strict=True) if is_best] == best


def test_what_has_no_number_is_neither_on_the_front_nor_behind_it_and_is_said():
    frame = pd.DataFrame({"cost": [0.1, None, np.inf, 0.3], "rating": [1.0, 5.0, 5.0, None]}, index=[1, 2, 3, 4])
    found = front_of(frame, ("cost", "rating"), (None, None))
    assert found.is_best == [True, None, None, None]
    assert found.told == ("2 of 4 calls have no cost", "1 of 4 calls has no rating")


@pytest.mark.parametrize(
    ("x", "y", "ends", "line"),
    [
        ("cost", "cost", (None, None), "cost against itself shows nothing: name two columns."),
        ("cost", "ratng", (None, None), "There is no column ratng in this frame: did you mean rating?"),
        (
            "cost",
            "prompt",
            (None, None),
            "There are no numbers in prompt: it holds something else. Columns of numbers here",
        ),
        ("cost", "rating", (None, None), "There are no numbers in rating: no call has one yet."),
        ("cost", "seed", (None, None), "No call here has both cost and seed: 2 of 3 calls have no seed."),
        ("cost", "created", (None, None), "There are no numbers in created: it holds something else."),
        ("cost", "total_s", (None, "best"), "The good end of total_s is 'low' or 'high', not 'best'."),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(x, y, ends, line):
    frame = pd.DataFrame(
        {
            "cost": [0.1, 0.2, None],
            "rating": pd.array([None] * 3, dtype="Int64"),
            "seed": [None, None, 3],
            "prompt": ["a", "b", "c"],
            "total_s": [1.0, 2.0, 3.0],
            "created": pd.to_datetime(["2026-01-01"] * 3),
        },
        index=pd.Index([1, 2, 3], name="record"),
    )
    with pytest.raises(HistoryError) as caught:
        front_of(frame, (x, y), ends)
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_of_too_many_the_front_and_the_newest_are_drawn_and_the_rest_is_said():
    count = 500
    frame = pd.DataFrame({"cost": np.arange(count) + 1.0, "total_s": np.arange(count) + 1.0}, index=range(count))
    front = front_of(frame, ("cost", "total_s"), (None, None))
    points = points_of_front(("cost", "total_s"), front, list(range(count)), {}, most=100)
    assert [point.record for point in points.points] == [0, *range(count - 99, count)]
    assert points.told == (
        "400 older calls behind the line are not drawn",
        "100 of 100 points have no output that is kept",
    )


class TestView:
    @pytest.fixture
    def rated(self, api):
        """Five calls: two endpoints, four ratings, one that has none."""
        called = [(FLUX, 1), (FLUX, 2), ("fal-ai/flux/dev", 3), ("fal-ai/flux/dev", 4), (FLUX, 5)]
        jobs = [
            api.submit(endpoint, {"prompt": f"fox <b>{seed}</b>", "seed": seed, "image_size": "square"})
            for endpoint, seed in called
        ]
        api.wait(jobs, timeout=60)
        for record, rating in ((1, 3), (2, 2), (3, 5), (4, 5)):
            api.rate(record, rating)
        return api.history()

    def test_the_frame_has_a_column_and_the_best_are_its_rows(self, rated):
        view = rated.fal.pareto("cost", "rating")
        cheap = rated["cost"].min()
        assert view.frame["pareto"].tolist()[:3] == [True, False, True]
        assert pd.isna(view.frame.loc[5, "pareto"])
        assert set(view.best.index) == {1, 3, 4}
        assert view.best.loc[1, "cost"] == cheap
        assert "pareto" not in rated.columns
        assert len(view) == 3

    def test_the_twin_shows_the_plot_the_pictures_of_the_front_and_what_is_missing(self, rated):
        twin = rated.fal.pareto("cost", "rating").twin()
        assert twin.count("data:image/svg+xml;base64,") == 1
        assert twin.count("data:image/webp;base64,") == 3
        assert "3 of 5 calls are beaten by no other (lower cost, higher rating is better)" in twin
        assert "1 of 5 calls has no rating" in twin
        assert "<b>1" not in twin
        assert not re.search("<(svg|style|script)", twin)

    def test_the_text_lists_the_front(self, rated):
        lines = rated.fal.pareto("cost", "rating").text().splitlines()
        assert [line.split()[0] for line in lines[1:4]] == ["#1", "#3", "#4"]
        assert lines[-1] == "1 of 5 calls has no rating"

    def test_a_score_of_a_sweep_is_an_axis(self, api):
        sweep = api.sweep(FLUX, {"prompt": "a fox", "image_size": "square"}, axes={"seed": [1, 2, 3]}).run().wait(60)
        sweep.score("sharpness")
        view = sweep.frame().fal.pareto("cost", "sharpness")
        assert view.best["sharpness"].tolist() == [sweep.frame()["sharpness"].max()]


def test_a_column_with_gaps_is_an_axis_to_compare_by(api):
    api.submit(FLUX, {"prompt": "a fox", "seed": 1, "image_size": "square"}).get(60)
    api.submit(FLUX, {"prompt": "a fox", "seed": 2, "image_size": "square"}).get(60)
    api.rate(2, 4)
    assert api.history().fal.compare(by="rating").state()["axes"][0]["labels"] == ["4", "–"]
