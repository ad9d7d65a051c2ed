"""A pivot lays calls out by columns of any kind: one number a place, or the newest picture."""
# ruff: noqa: PD010 - the pivot of ours, not of pandas

import html
import re

import pandas as pd
import pytest

from fal_nb.errors import HistoryError
from fal_nb.views.gallery import GalleryView


@pytest.fixture
def frame():
    """Calls that were never made: what is told of them by pivots needs no history."""
    rows = [
        ("fox", 10, {"width": 64}, 0.2),
        ("fox", 9, {"width": 64}, 0.1),
        ("fox", 9, {"width": 32}, 0.3),
        ("owl", 9, {"width": 64}, None),
    ]
    index = pd.Index([1, 2, 3, 4], name="record")
    return pd.DataFrame(rows, columns=["animal", "seed", "image_size", "cost"], index=index)


class TestNumbers:
    def test_numbers_are_in_order_and_several_calls_come_to_their_mean(self, frame):
        table = frame.fal.pivot("animal", "seed", "cost")
        assert list(table.index) == ["fox", "owl"]
        assert list(table.columns) == [9, 10]
        assert table.index.name == "animal"
        assert table.loc["fox", 9] == pytest.approx(0.2)
        assert table.loc["owl"].isna().all()
        assert frame.fal.pivot("animal", "seed", "cost", how="max").loc["fox", 9] == 0.3
        assert frame.fal.pivot("animal", "seed", "cost", how="count").loc["fox", 9] == 2

    def test_objects_are_told_apart_by_what_is_in_them(self, frame):
        table = frame.fal.pivot(rows="image_size", columns=["animal", "seed"], values="cost")
        assert list(table.index) == ['{"width": 64}', '{"width": 32}']
        assert list(table.columns) == [("fox", 9), ("fox", 10), ("owl", 9)]
        assert table.columns.names == ["animal", "seed"]
        assert table.iloc[1, 0] == 0.3

    def test_a_sum_over_nothing_is_nothing(self, frame):
        assert frame.fal.pivot("animal", "seed", "cost", how="sum").loc["owl"].isna().all()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("animl", "seed", "cost"), "did you mean animal"),
            (("animal", "seed", "kost"), "did you mean cost"),
            (("animal", "seed", "image_size"), "no numbers in image_size"),
            (("animal", "animal", "cost"), "animal cannot be rows and columns"),
            (("animal", [], "cost"), "at least one column"),
        ],
    )
    def test_what_cannot_be_laid_out_is_said_in_a_line(self, frame, arguments, said):
        with pytest.raises(HistoryError, match=said):
            frame.fal.pivot(*arguments)
        with pytest.raises(HistoryError, match="by mean, median"):
            frame.fal.pivot("animal", "seed", "cost", how="mode")


class TestPictures:
    def test_each_place_has_the_picture_of_its_newest_call(self, calls, api):
        again = api.submit("fal-ai/flux/schnell", {"prompt": "a fox", "seed": 9, "image_size": "square"})
        again.get(60)
        frame = api.history()
        page = frame.fal.pivot(rows="prompt", columns="seed").to_html()
        assert page.count("<img ") == 4
        assert f"image of #{again.record_id}: a fox" in page
        assert f"image of #{calls.index[0]}: a fox" not in page
        assert re.findall(r"<th[^>]*col_heading[^>]*>([^<]*)<", page) == ["9", "10"]

    def test_labels_are_text_whatever_is_in_them(self, api):
        evil = "<img src=x onerror=alert(1)>"
        api.subscribe("fal-ai/flux/schnell", {"prompt": evil, "seed": 1, "image_size": "square"})
        page = api.history().fal.pivot("prompt", "seed").to_html()
        assert evil not in page
        assert html.escape(evil) in page

    def test_more_pictures_than_a_notebook_should_hold_are_refused(self, calls, monkeypatch):
        monkeypatch.setattr("fal_nb.frames.accessor._MOST_PICTURES", 3)
        with pytest.raises(HistoryError, match="4 pictures would make"):
            calls.fal.pivot("prompt", "seed")


def test_a_gallery_shows_the_outputs_of_the_calls_that_are_left(calls):
    view = calls[calls["prompt"] == "a fox"].fal.gallery()
    assert isinstance(view, GalleryView)
    assert len(view) == 2
    with pytest.raises(HistoryError, match="no record numbers"):
        pd.DataFrame({"x": [1]}).fal.gallery()
