"""Any frame leaves as a table: JSON as exact as it was, CSV safe for spreadsheets, never over a file that is there."""

import datetime as dt
import json
import sys
import types

import numpy as np
import pandas as pd
import pytest

import fal_nb  # noqa: F401 - puts `fal` on frames
from fal_nb.errors import FileError
from fal_nb.exports.of_frame import frame_columns

MOMENT = pd.Timestamp("2026-01-31 12:30:00.25", tz="UTC")


@pytest.fixture
def odd():
    """A frame with what frames of calls hold, and what people add to them."""
    return pd.DataFrame(
        {
            "created": pd.DatetimeIndex([MOMENT, pd.NaT], tz="UTC"),
            "cost": [0.1, np.nan],
            "seed": pd.array([2**53 + 1, None], dtype="Int64"),
            "prompt": ["=1+1 </script>", None],
            "tags": [("a", "b"), ()],
            "image_size": [{"width": np.int64(64)}, "square"],
            "mine": [np.float32(0.5), np.inf],
            "old": [True, False],
        },
        index=pd.Index([7, 9], name="record"),
    )


def test_json_holds_every_value_under_its_name(odd, tmp_path):
    assert odd.fal.export(tmp_path / "x.json") == [tmp_path / "x.json"]
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == [
        {
            "record": 7, "created": "2026-01-31T12:30:00.250000+00:00", "cost": 0.1, "seed": 2**53 + 1,
            "prompt": "=1+1 </script>", "tags": ["a", "b"], "image_size": {"width": 64}, "mine": 0.5, "old": True,
        },
        {
            "record": 9, "created": None, "cost": None, "seed": None, "prompt": None, "tags": [],
            "image_size": "square", "mine": "inf", "old": False,
        },
    ]  # fmt: skip


def test_csv_lets_no_text_be_taken_for_a_formula(odd, tmp_path):
    odd.fal.export(tmp_path / "x.csv")
    read = pd.read_csv(tmp_path / "x.csv", index_col="record")
    assert read["prompt"][7] == "'=1+1 </script>"
    assert read["cost"][7] == 0.1
    assert json.loads(read["tags"][7]) == ["a", "b"]


def test_a_history_is_written_as_it_was_filtered(session, sweep, tmp_path):
    frame = session.frame()
    some = frame[frame["seed"] == 1].assign(mine="x")
    some.fal.export(tmp_path / "x.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert [row["record"] for row in rows] == list(some.index)
    assert {row["mine"] for row in rows} == {"x"}
    assert {row["request_id"] for row in rows} <= {view.request_id for view in sweep}
    assert all(dt.datetime.fromisoformat(row["created"]).tzinfo is not None for row in rows)


def test_no_file_is_written_over_and_an_ending_that_means_nothing_is_refused(odd, tmp_path):
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(FileError, match="is there already"):
        odd.fal.export(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "mine"
    odd.fal.export(str(tmp_path / "x.csv"), overwrite=True)
    assert (tmp_path / "x.csv").read_text("utf-8").startswith("record,created")
    for name in ("x", "x.xlsx", "x.csv.zip"):
        with pytest.raises(FileError, match="no ending that says what to write"):
            odd.fal.export(tmp_path / name)


def test_names_are_texts_and_each_is_there_once(tmp_path):
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a_2"])
    assert dict(frame_columns(frame)[0]) == {"a": 1, "a_2": 2, "a_2_2": 3}
    nested = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("seed", 1)]), index=pd.Index(["x"]))
    assert dict(frame_columns(nested)[0]) == {"index": "x", "seed · 1": 1}
    assert len(frame_columns(frame[:0])) == 0


def test_an_empty_frame_keeps_its_names(odd, tmp_path):
    odd[:0].fal.export(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text("utf-8").strip() == "record," + ",".join(odd.columns)
    odd[:0].fal.export(tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == []


def test_parquet_keeps_moments_and_numbers_as_they_are(odd, tmp_path, monkeypatch):
    """On a stand-in for pyarrow, which is no dependency: what it would be given."""
    given = {}
    pyarrow = types.ModuleType("pyarrow")
    pyarrow.table = given.update
    pyarrow.parquet = types.SimpleNamespace(write_table=lambda table, path: path.touch())
    monkeypatch.setitem(sys.modules, "pyarrow", pyarrow)
    odd.fal.export(tmp_path / "x.parquet")
    assert given["created"] == [MOMENT.to_pydatetime(), None]
    assert type(given["created"][0]) is dt.datetime
    assert given["mine"] == [0.5, np.inf]
    assert given["record"] == [7, 9]
    assert given["image_size"] == ['{"width": 64}', '"square"']
